"""Migrations happen once, whoever asks and however many ask at the same time."""

import asyncio
import secrets
import sys
from pathlib import Path

import pytest

from libs.chassis.migrations import at_head, migrate
from libs.chassis.roles import prepare_roles
from tests.component.provisioning.conftest import SECOND, Connect, role_of
from tests.support.servers import Database

TABLES = """SELECT table_name, tableowner FROM information_schema.tables JOIN pg_tables ON tablename = table_name
AND schemaname = table_schema WHERE table_schema = $1"""
CHASSIS = {"events", "outbox", "spoken", "heard", "held", "parked", "leases", "timers", "repairs", "configuration"}


@pytest.fixture
async def service(database: Database, connect: Connect) -> str:
    """A service of this test's own with its roles and an empty schema."""
    name = f"service_{secrets.token_hex(4)}"
    async with connect() as administrator:
        await prepare_roles(administrator, role_of(database, name))
    return name


async def test_the_first_migration_makes_the_chassis_tables_for_the_owner(
    service: str, database: Database, connect: Connect, versions: Path
) -> None:
    await migrate(database.url, service, versions)
    async with connect(service) as connection:
        owners = {row["table_name"]: row["tableowner"] for row in await connection.fetch(TABLES, service)}
    assert owners.keys() >= CHASSIS | {"tickets", "alembic_version", "idempotency"}
    assert set(owners.values()) == {f"{service}_owner"}


async def test_a_service_is_at_head_once_it_is_migrated(
    service: str, database: Database, connect: Connect, versions: Path
) -> None:
    async with connect(service) as connection:
        assert not await at_head(connection, service, versions)
        await migrate(database.url, service, versions)
        assert await at_head(connection, service, versions)


async def test_24_the_old_program_is_ready_on_the_newer_schema_but_not_the_new_one_on_the_older(
    service: str, database: Database, connect: Connect, versions: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    newer = tmp_path_factory.mktemp("newer")
    (newer / "0001_first.py").write_text((versions / "0001_first.py").read_text())
    (newer / "0002_second.py").write_text(SECOND)
    await migrate(database.url, service, versions)
    async with connect(service) as connection:
        assert not await at_head(connection, service, newer)
        await migrate(database.url, service, newer)
        assert await at_head(connection, service, newer)
        assert await at_head(connection, service, versions)


async def test_eight_migrations_at_once_in_one_process_migrate_once(
    service: str, database: Database, connect: Connect, second_version: Path
) -> None:
    await asyncio.gather(*(migrate(database.url, service, second_version) for _ in range(8)))
    async with connect(service) as connection:
        assert await connection.fetchval("SELECT array_agg(version_num) FROM alembic_version") == ["0002"]


async def test_eight_processes_at_once_migrate_once(
    service: str, database: Database, connect: Connect, second_version: Path
) -> None:
    program = "import asyncio, pathlib, sys; from libs.chassis.migrations import migrate; "
    program += "asyncio.run(migrate(sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])))"
    arguments = [sys.executable, "-c", program, database.url, service, str(second_version)]
    racers = [await asyncio.create_subprocess_exec(*arguments) for _ in range(8)]
    assert [await racer.wait() for racer in racers] == [0] * 8
    async with connect(service) as connection:
        assert await connection.fetchval("SELECT array_agg(version_num) FROM alembic_version") == ["0002"]


async def test_a_migration_that_fails_leaves_the_schema_as_it_was(
    service: str, database: Database, connect: Connect, second_version: Path
) -> None:
    broken = SECOND.replace("ADD COLUMN title", "DROP COLUMN nothing; --")
    (second_version / "0002_second.py").write_text(broken)
    with pytest.raises(Exception, match='column "nothing"'):
        await migrate(database.url, service, second_version)
    async with connect(service) as connection:
        assert not await at_head(connection, service, second_version)
        assert await connection.fetch(TABLES, service) == []


async def test_3_the_cursor_of_repair_reads_events_in_order_of_transaction_then_id(
    service: str, database: Database, connect: Connect, versions: Path
) -> None:
    await migrate(database.url, service, versions)
    insert = """INSERT INTO events(subject, n, type, occurred_at, config_version, data)
    VALUES ($1, $2, 'x', now(), 1, '{}') RETURNING id"""
    async with connect(service) as earlier, connect(service) as later:
        first = earlier.transaction()
        await first.start()
        await earlier.fetchval("SELECT pg_current_xact_id()::text")
        second_id = await later.fetchval(insert, "b", 1)
        first_id = await earlier.fetchval(insert, "a", 1)
        await first.commit()
        assert second_id < first_id
        ordered = await later.fetch("SELECT subject FROM events ORDER BY xid, id")
    assert [row["subject"] for row in ordered] == ["a", "b"]
