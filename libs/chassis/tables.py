"""The tables that the schema of every service has: what it said, what it heard, what waits and who holds what.

`chassis_metadata()` describes them for queries; `create_chassis_tables(op)` makes them and is the first thing the first
migration of a service does. Once released the shape is frozen: a change becomes a function of its own here, which the
next migration of every service calls.
"""

from types import ModuleType
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    FetchedValue,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    Text,
    TextClause,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.sql.schema import SchemaItem
from sqlalchemy.types import TypeEngine, UserDefinedType

if TYPE_CHECKING:
    from alembic.operations import Operations

REAL_TIME = text("clock_timestamp()")
UPDATED_IN_PLACE = {"fillfactor": 80}
MOSTLY_EMPTY = {"autovacuum_vacuum_scale_factor": 0, "autovacuum_vacuum_threshold": 2000}


class Xid8(UserDefinedType[int]):
    """A transaction id that never wraps; asyncpg reads it as int and takes it as `$1::text::xid8`."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The name of the type in DDL."""
        return "xid8"


def chassis_metadata(metadata: MetaData | None = None) -> MetaData:
    """The chassis' tables, added to `metadata` (a new one by default). They name no schema: the search path does."""
    tables = MetaData() if metadata is None else metadata
    for add in (_add_said, _add_heard, _add_set_aside, _add_holders, _add_copies):
        add(tables)
    return tables


def create_chassis_tables(op: "Operations | ModuleType") -> None:
    """Make the tables in the schema being migrated, and take from the service what it may never do.

    What was said is never changed or deleted (`events`), and only the owner moves the schema's version.
    """
    chassis_metadata().create_all(op.get_bind(), checkfirst=False)
    op.execute("ALTER SEQUENCE events_id_seq OWNED BY events.id")
    service = op.get_context().version_table_schema
    op.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON events FROM "{service}"')
    op.execute(f'REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON alembic_version FROM "{service}"')


def _add_said(metadata: MetaData) -> None:
    Sequence("events_id_seq", data_type=BigInteger(), metadata=metadata)
    Table(
        "events",
        metadata,
        _needed("id", BigInteger(), server_default=text("nextval('events_id_seq')")),
        _needed("xid", Xid8(), server_default=text("pg_current_xact_id()")),
        _needed("subject", Text()),
        _needed("n", BigInteger()),
        _needed("type", Text()),
        _needed("occurred_at", DateTime(timezone=True)),
        Column("actor", Text()),
        Column("cause", Text()),
        _needed("config_version", BigInteger()),
        _needed("said_at", DateTime(timezone=True), server_default=REAL_TIME),
        Column("trace", Text()),
        _needed("data", JSON()),
        Column("ticket", JSON()),
        PrimaryKeyConstraint("subject", "n"),
        Index("events_cursor", "xid", "id", unique=True),
    )
    Table(
        "outbox",
        metadata,
        # facts of one transaction leave together: a row for each of them would be written and deleted for every fact
        _needed("xid", Xid8(), primary_key=True, server_default=text("pg_current_xact_id()")),
        _needed("facts", Integer()),
        _needed("said_at", DateTime(timezone=True), server_default=REAL_TIME),
        postgresql_with=MOSTLY_EMPTY,
    )
    _table(metadata, "spoken", _key("subject"), _needed("n", BigInteger()), updated_in_place=True)


def _add_heard(metadata: MetaData) -> None:
    _table(
        metadata,
        "heard",
        _key("speaker"),
        _key("subject"),
        _needed("n", BigInteger()),
        _needed("since", BigInteger()),
        updated_in_place=True,
    )
    _table(
        metadata,
        "repairs",
        _key("speaker"),
        _needed("shard", Integer(), primary_key=True),
        _needed("shards", Integer(), primary_key=True),
        _needed("xid", Text()),
        _needed("id", BigInteger()),
    )


def _add_set_aside(metadata: MetaData) -> None:
    _table(
        metadata,
        "held",
        _key("speaker"),
        _key("subject"),
        _needed("n", BigInteger(), primary_key=True),
        _needed("nats_subject", Text()),
        _needed("headers", LargeBinary()),
        _needed("payload", LargeBinary()),
        _needed("held_at", DateTime(timezone=True), server_default=REAL_TIME),
    )
    still_parked = text("state = 'parked'")
    _table(
        metadata,
        "parked",
        Column("id", BigInteger(), Identity(always=True), primary_key=True),
        _needed("door", Text()),
        _needed("speaker", Text()),
        _needed("subject", Text()),
        Column("n", BigInteger()),
        Column("nats_subject", Text()),
        _needed("reason", Text()),
        _needed("headers", LargeBinary()),
        _needed("payload", LargeBinary()),
        _needed("parked_at", DateTime(timezone=True), server_default=REAL_TIME),
        _needed("state", Text(), server_default="parked"),
        Column("settled_at", DateTime(timezone=True)),
        CheckConstraint("state IN ('parked', 'replayed', 'discarded')", name="parked_state"),
        Index("parked_once", "door", "speaker", "subject", "n", unique=True, postgresql_where=still_parked),
        Index("parked_behind", "speaker", "subject", postgresql_where=still_parked),
    )


def _add_holders(metadata: MetaData) -> None:
    _table(
        metadata,
        "leases",
        _key("name"),
        _needed("holder", Text()),
        _needed("until", DateTime(timezone=True)),
    )
    _table(
        metadata,
        "timers",
        _key("key"),
        _key("kind"),
        _needed("due_at", DateTime(timezone=True)),
        Index("timers_due", "due_at"),
    )


def _add_copies(metadata: MetaData) -> None:
    _table(
        metadata,
        "configuration",
        Column("version", BigInteger(), primary_key=True, autoincrement=False),
        # not JSONB, which sorts keys: the order of languages, mailboxes and rules means something
        _needed("bundle", JSON()),
        _needed("copied_at", DateTime(timezone=True), server_default=REAL_TIME),
    )
    _table(
        metadata,
        "idempotency",
        _key("caller"),
        _key("key"),
        _needed("request_hash", Text()),
        Column("status", Integer()),
        Column("response", LargeBinary()),
        Column("headers", JSONB()),
        _needed("created_at", DateTime(timezone=True), server_default=REAL_TIME),
    )


def _table(metadata: MetaData, name: str, *items: SchemaItem, updated_in_place: bool = False) -> Table:
    return Table(name, metadata, *items, postgresql_with=UPDATED_IN_PLACE if updated_in_place else {})


def _key(name: str) -> Column[str]:
    return Column(name, Text(), primary_key=True)


def _needed(
    name: str,
    type_: TypeEngine[Any],
    *,
    primary_key: bool = False,
    server_default: FetchedValue | TextClause | str | None = None,
) -> Column[Any]:
    return Column(
        name, type_, nullable=False, primary_key=primary_key, autoincrement=False, server_default=server_default
    )
