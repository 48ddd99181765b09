"""Intake's database with all these tickets, in a PostgreSQL of the benchmark's own."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import yaml

from benchmarks.views.tickets import Tickets
from libs.chassis.clock import WallClock
from libs.chassis.configuration import Configuration
from libs.chassis.database import Database
from libs.chassis.migrations import migrate
from libs.chassis.roles import ServiceRole, prepare_roles
from libs.chassis.transaction import Transactions
from libs.contracts.event import Speaker
from libs.embedded.data_folder import DataFolder
from libs.embedded.postgres_server import SUPERUSER, PostgresServer
from services.intake.configuration import parse
from services.intake.search_index import index

CONFIG = Path(__file__).parents[2] / "config"
NAME, SCHEMA = "bench", "intake"
PORTION, INDEXERS, INDEXED_AT_ONCE = 20_000, 2, 2_000


@contextmanager
def server() -> Iterator[PostgresServer]:
    """A cluster in a temporary folder that PostgreSQL's own user can reach; removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="signalbox-bench-"))
    folder.chmod(0o711)
    try:
        with DataFolder.claim(folder / "data") as claimed:
            postgres = PostgresServer(claimed)
            postgres.start()
            postgres.execute(f"CREATE DATABASE {NAME}")
            yield postgres
            postgres.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def database_of(postgres: PostgresServer) -> AsyncIterator[Database]:
    """Intake's schema and its role's pool."""
    password = urlsplit(postgres.url_of(SCHEMA, NAME)).password or ""
    administrator = postgres.url_of(SUPERUSER, NAME)
    connection = await asyncpg.connect(administrator)
    await prepare_roles(connection, ServiceRole(SCHEMA, password))
    await connection.close()
    await migrate(administrator, SCHEMA)
    database = Database(postgres.url_of(SCHEMA, NAME), SCHEMA)
    await database.start()
    yield database
    await database.stop()


def transactions_of(database: Database) -> Transactions:
    """As a running intake begins them, with the example configuration."""
    files = {path.name: yaml.safe_load(path.read_text()) for path in CONFIG.glob("*.yaml")}
    configuration = Configuration(1, parse(files))
    return Transactions(database, Speaker.INTAKE, WallClock(), lambda: configuration, lambda _: None, lambda: False)


async def load(database: Database, tickets: Tickets) -> list[str]:
    """COPY customers, tickets and messages; the ids of the tickets."""
    customers = list(tickets.customers())
    async with database.connection() as connection:
        await _copy(connection, "customers", ({name: getattr(c, name) for name in c.__slots__} for c in customers))
        ids: list[str] = []
        rows = tickets.rows([customer.id for customer in customers])
        while portion := list(islice(rows, PORTION)):
            await _copy(connection, "tickets", (ticket for ticket, _ in portion))
            await _copy(connection, "messages", (message for _, message in portion))
            ids += [ticket["id"] for ticket, _ in portion]
    return ids


async def index_words(database: Database, ids: list[str]) -> None:
    """As the indexer does, but by two at once and at full speed."""
    portions = iter([ids[at : at + INDEXED_AT_ONCE] for at in range(0, len(ids), INDEXED_AT_ONCE)])

    async def work() -> None:
        for portion in portions:
            async with database.connection() as connection:
                await index(connection, portion)

    await asyncio.gather(*(work() for _ in range(INDEXERS)))


async def settle(postgres: PostgresServer) -> None:
    """What autovacuum would have done by now."""
    connection = await asyncpg.connect(postgres.url_of(SUPERUSER, NAME))
    for table in ("tickets", "customers", "messages", "ticket_search"):
        await connection.execute(f"VACUUM (ANALYZE) {SCHEMA}.{table}")
    # a million tickets are not made in a hundred transactions
    await connection.execute("DO 'BEGIN FOR n IN 1..20000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END'")
    await connection.close()


async def sizes(postgres: PostgresServer) -> dict[str, int]:
    """Megabytes of tables and indexes of at least one."""
    connection = await asyncpg.connect(postgres.url_of(SUPERUSER, NAME))
    rows = await connection.fetch(
        """SELECT relname, pg_relation_size(oid) / 1048576 AS megabytes FROM pg_class
        WHERE relnamespace = 'intake'::regnamespace AND relkind IN ('r', 'i') AND pg_relation_size(oid) > 1048576
        ORDER BY 2 DESC"""
    )
    await connection.close()
    return {row["relname"]: row["megabytes"] for row in rows}


async def _copy(connection: Any, table: str, rows: Iterable[dict[str, Any]]) -> None:
    records = list(rows)
    columns = list(records[0])
    values = [tuple(record[name] for name in columns) for record in records]
    await connection.copy_records_to_table(table, records=values, columns=columns)
