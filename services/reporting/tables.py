"""The tables of reporting: two copies of everything that is folded from facts, so that one can be rebuilt beside the
other (decision record 0010). Nothing here is personal but names of agents.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSON

from libs.chassis.tables import REAL_TIME, UPDATED_IN_PLACE

COPIES = ("a", "b")
UNASSIGNED = text("assignee = '' AND gone IS NULL AND status_category IN ('open', 'pending', 'on_hold')")

metadata = MetaData()
"""Reporting's own tables."""

live_copy = Table(
    "live_copy",
    metadata,
    Column("one", SmallInteger(), CheckConstraint("one = 1"), primary_key=True),
    Column("copy", Text(), CheckConstraint("copy IN ('a', 'b')"), nullable=False),
)
"""Which copy is folded into and read: one row."""

rebuilds = Table(
    "rebuilds",
    metadata,
    Column("id", BigInteger(), Identity(), primary_key=True),
    Column("asked_by", Text(), nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False, server_default=REAL_TIME),
    Column("finished_at", DateTime(timezone=True)),
    Column("attempt", BigInteger(), nullable=False, server_default="0"),
    Column("facts", BigInteger(), nullable=False, server_default="0"),
    Column("differences", BigInteger()),
    Column("fault", Text()),
)
"""Rebuilds asked for.

attempt: rises when one is begun again, so that whoever began it before notices. differences: tallies that were not the
same before. fault: why it could not be done.
"""


def _add_copy(copy: str) -> None:
    _add_tickets(copy)
    Table(
        f"tallies_{copy}",
        metadata,
        Column("measure", Text(), primary_key=True),
        Column("day", Date(), primary_key=True),
        *(Column(name, Text(), primary_key=True) for name in ("detail", "priority", "category", "queue", "agent")),
        Column("bucket", Integer(), primary_key=True, autoincrement=False),
        Column("n", BigInteger(), nullable=False),
        postgresql_with=UPDATED_IN_PLACE,
    )
    for roster in ("agents", "queues"):
        Table(
            f"{roster}_{copy}",
            metadata,
            Column("key", Text(), primary_key=True),
            Column("name", Text()),
            Column("active", Boolean(), nullable=False),
        )
    Table(
        f"positions_{copy}",
        metadata,
        Column("speaker", Text(), primary_key=True),
        Column("subject", Text(), primary_key=True),
        Column("n", BigInteger(), nullable=False),
        postgresql_with=UPDATED_IN_PLACE,
    )


def _add_tickets(copy: str) -> None:
    """What is remembered of each ticket, and the exact contribution it has made to the tallies (document.py)."""
    resolved = text("resolved_at IS NOT NULL AND gone IS NULL")
    Table(
        f"tickets_{copy}",
        metadata,
        Column("id", Text(), primary_key=True),
        Column("version", BigInteger(), nullable=False),
        Column("created_at", DateTime(timezone=True)),
        *(
            Column(name, Text(), nullable=False)
            for name in ("status", "status_category", "priority", "category", "queue", "assignee")
        ),
        Column("gone", Text()),
        Column("resolved_at", DateTime(timezone=True)),
        Column("history", JSON(), nullable=False),
        Column("contribution", JSON(), nullable=False),
        Index(f"tickets_{copy}_unassigned", "priority", "created_at", postgresql_where=UNASSIGNED),
        Index(f"tickets_{copy}_resolved", "resolved_at", postgresql_where=resolved),
        postgresql_with=UPDATED_IN_PLACE,
    )


for _copy in COPIES:
    _add_copy(_copy)

FOLDED = ("tickets", "tallies", "agents", "queues", "positions")
"""The tables of a copy, without its letter."""
