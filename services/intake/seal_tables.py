"""The tables of the audit chain: what was sealed of each ticket, and the blocks it was sealed in. Append-only."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

metadata = MetaData()

seals = Table(
    "seals",
    metadata,
    Column("subject", Text(), nullable=False),
    Column("n", BigInteger(), nullable=False),
    Column("hash", LargeBinary(), nullable=False),
    Column("block", BigInteger(), nullable=False),
    PrimaryKeyConstraint("subject", "n"),
    Index("seals_block", "block", postgresql_using="brin"),
)
"""`hash` is the chain over all events of the subject up to number n."""

seal_blocks = Table(
    "seal_blocks",
    metadata,
    Column("id", BigInteger(), primary_key=True, autoincrement=False),
    # where in the log of events it ends
    Column("xid", Text(), nullable=False),
    Column("event_id", BigInteger(), nullable=False),
    Column("seals", Integer(), nullable=False),
    Column("hash", LargeBinary(), nullable=False),
    Column("sealed_at", DateTime(timezone=True), nullable=False),
)
"""`hash` is the chain over all blocks up to this one: with the last of them, written down elsewhere, nothing can be
taken out of the whole journal unseen.
"""
