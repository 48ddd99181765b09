"""The router's tables: agents, queues, turns, its view of tickets, and its decisions with their explanations."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
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
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from libs.chassis.tables import UPDATED_IN_PLACE, chassis_metadata


def router_metadata(metadata: MetaData | None = None) -> MetaData:
    """The router's own tables, added to `metadata`."""
    tables = MetaData() if metadata is None else metadata
    _add_floor(tables)
    _add_tickets(tables)
    _add_decisions(tables)
    return tables


def _add_floor(metadata: MetaData) -> None:
    Table(
        "agents",
        metadata,
        Column("key", Text(), primary_key=True),
        Column("name", Text()),
        Column("email", Text()),
        Column("role", Text(), nullable=False),
        Column("skills", ARRAY(Text()), nullable=False),
        Column("queues", ARRAY(Text()), nullable=False),
        Column("capacity", Integer()),
        Column("active", Boolean(), nullable=False),
        Column("presence", Text(), nullable=False),
        Column("paused", Boolean(), nullable=False),
        Column("load", Integer(), nullable=False),
        CheckConstraint("role IN ('agent', 'lead')", name="agents_role"),
        CheckConstraint("presence IN ('online', 'away', 'offline')", name="agents_presence"),
        postgresql_with=UPDATED_IN_PLACE,
    )
    Table(
        "queues",
        metadata,
        Column("key", Text(), primary_key=True),
        Column("name", Text(), nullable=False),
        Column("lead", Text(), nullable=False),
        Column("schedule", Text()),
        Column("strategy", Text(), nullable=False),
        Column("overflow", Text()),
        Column("wait_limit", Integer()),
        Column("active", Boolean(), nullable=False),
        postgresql_with=UPDATED_IN_PLACE,
    )
    Table(
        "turns",
        metadata,
        Column("queue", Text(), primary_key=True),
        Column("agent", Text(), primary_key=True),
        Column("count", BigInteger(), nullable=False),
        postgresql_with=UPDATED_IN_PLACE,
    )


def _add_tickets(metadata: MetaData) -> None:
    tickets = Table(
        "tickets",
        metadata,
        Column("id", Text(), primary_key=True),
        Column("epoch", BigInteger(), nullable=False),
        Column("assignee", Text()),
        Column("queue", Text()),
        Column("priority", SmallInteger(), nullable=False),
        Column("active", Boolean(), nullable=False),
        Column("counts", Boolean(), nullable=False),
        Column("gone", Boolean(), nullable=False),
        Column("started", Boolean(), nullable=False),
        Column("deadline", DateTime(timezone=True)),
        Column("queued_at", DateTime(timezone=True)),
        Column("waiting", Boolean(), nullable=False),
        Column("deferred", Boolean(), nullable=False),
        Column("needs", ARRAY(Text()), nullable=False),
        Column("requirements", JSON()),
        Column("reserved", Text()),
        Column("reserved_epoch", BigInteger()),
        Column("reserved_agent", Text()),
        Column("reserved_queue", Text()),
        # a batch rewrites every ticket of a page at once: there has to be room for all of them
        postgresql_with={"fillfactor": 50},
    )
    # more columns would not spare the sorting, which is over several queues; a deadline may change without the index
    Index("tickets_waiting", tickets.c.queue, postgresql_where=text("waiting"))
    Index("tickets_owned", tickets.c.assignee, postgresql_where=text("active AND assignee IS NOT NULL"))
    Table(
        "texts",
        metadata,
        Column("ticket", Text(), primary_key=True),
        Column("subject", Text(), nullable=False),
        Column("body", Text(), nullable=False),
    )


def _add_decisions(metadata: MetaData) -> None:
    Table(
        "decisions",
        metadata,
        Column("ticket", Text(), primary_key=True),
        Column("number", BigInteger(), Identity(always=True), primary_key=True),
        Column("id", Text(), nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("epoch", BigInteger(), nullable=False),
        Column("queue", Text()),
        Column("assignee", Text()),
        Column("fallback", Boolean(), nullable=False),
        Column("reason", Text(), nullable=False),
        Column("config_version", BigInteger(), nullable=False),
        Column("explanation", JSON(), nullable=False),
    )


METADATA = router_metadata(chassis_metadata())
