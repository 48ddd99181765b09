"""The tables of customers: who they are, what they are known by, what was done with it, and whom to forget.

All but `customer_log` and `erasures` is personal and can be erased (decisions 21).
"""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()
"""The tables of customers."""

customers = Table(
    "customers",
    metadata,
    Column("id", Text(), primary_key=True),
    Column("email", Text()),
    Column("name", Text()),
    Column("phone", Text()),
    Column("tier", Text()),
    Column("organisation", Text()),
    Column("created_at", DateTime(timezone=True), nullable=False),
    # another record of the same person, who has everything that was here
    Column("merged_into", Text()),
    # why nothing of them may be erased
    Column("legal_hold", Text()),
    Column("erased_at", DateTime(timezone=True)),
    # finds equal ones and beginnings
    Index("customers_email", text("email text_pattern_ops"), unique=True, postgresql_where=text("email IS NOT NULL")),
    Index("customers_name_prefix", text("lower(name) text_pattern_ops"), postgresql_where=text("name IS NOT NULL")),
    Index("customers_phone", "phone", postgresql_where=text("phone IS NOT NULL")),
    Index("customers_organisation", "organisation", "id", postgresql_where=text("organisation IS NOT NULL")),
    Index("customers_merged", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
)

customer_identities = Table(
    "customer_identities",
    metadata,
    Column("kind", Text(), nullable=False),
    Column("value", Text(), nullable=False),
    Column("customer_id", Text(), nullable=False),
    Column("linked_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("kind", "value"),
    Index("customer_identities_customer", "customer_id"),
)
"""What a person is known by beside the address and number of `customers`: email, phone, chat (`<source>/<id>`)."""

customer_log = Table(
    "customer_log",
    metadata,
    Column("id", BigInteger(), Identity(always=True), primary_key=True),
    Column("customer_id", Text(), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text(), nullable=False),
    Column("action", Text(), nullable=False),
    Column("details", JSONB(), nullable=False),
    Index("customer_log_customer", "customer_id", "id"),
)
"""What people of ours did with what is known of a person; never who that is (decisions 21)."""

erasures = Table(
    "erasures",
    metadata,
    Column("customer_id", Text(), primary_key=True),
    Column("state", Text(), nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("asked_by", Text(), nullable=False),
    Column("done_at", DateTime(timezone=True)),
    Column("tickets", Integer(), nullable=False),
    Column("mails", Integer(), nullable=False),
    Index("erasures_asked", "asked_at", postgresql_where=text("state = 'asked'")),
)
"""People to erase, and those who were: that and by whom it was asked, never who it was (decisions 21)."""
