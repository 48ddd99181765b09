"""The schema of a service, brought to its newest version: once, whoever asks and however many ask at the same time."""

from __future__ import annotations

import ast
import asyncio
import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

# alembic and SQLAlchemy are imported where something is migrated: a service that only looks whether it was starts in
# half the time without them
if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

ENVIRONMENT = Path(__file__).with_name("migration_environment")
SERVICES = Path(__file__).parents[2] / "services"
WAIT_FOR_TABLES = "10s"

# alembic keeps its context in a global: within one process migrations run in turn
_IN_TURN = threading.Lock()


class Fetches(Protocol):
    """A connection or pool of asyncpg."""

    async def fetchval(self, query: str, *args: Any) -> Any:
        """The first value of the first row."""


def versions_folder(service: str) -> Path:
    """Where a service keeps its migrations: `services/<service>/migrations/versions/0001_<what>.py`."""
    return SERVICES / service / "migrations" / "versions"


async def migrate(dsn: str, service: str, versions: Path | None = None) -> None:
    """Bring the schema of `service` to the newest version in `versions` (by default its `versions_folder`).

    All of it or nothing: everything runs in one transaction under an advisory lock, as the role `<service>_owner`,
    with the search path set to the schema, so that migrations name neither. `dsn` may be the owner's or an
    administrator's who may become the owner; roles and schema are there already (`libs.chassis.roles`).
    A statement that waits longer than 10 s for a table in use fails, rather than making everybody queue behind it.
    """
    await asyncio.to_thread(_migrate_in_turn, dsn, service, versions or versions_folder(service))


async def at_head(connection: Fetches, service: str, versions: Path | None = None) -> bool:
    """Does the schema have everything this program needs? False when it was never migrated.

    A schema that is newer than the program counts too: migrations expand first and contract a release later
    (decisions 24), so the programs of two neighbouring releases run on the newer schema.
    """
    table = f'"{service}".alembic_version'
    if await connection.fetchval("SELECT to_regclass($1)::text", table) is None:
        return False
    version = await connection.fetchval(f"SELECT version_num FROM {table}")  # a service's own name
    return version is not None and version not in _outdated(service, versions or versions_folder(service))


@lru_cache
def _outdated(service: str, versions: Path) -> frozenset[str]:
    """Every version that another one follows."""
    return frozenset(before for path in versions.glob("*.py") for before in _follows(path))


def _follows(path: Path) -> Iterator[str]:
    """The versions that a migration file says it follows: `down_revision`, one, several or None."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        match statement:
            case ast.Assign(targets=[ast.Name("down_revision")], value=ast.expr() as value):
                pass
            case ast.AnnAssign(target=ast.Name("down_revision"), value=ast.expr() as value):
                pass
            case _:
                continue
        found = ast.literal_eval(value)
        yield from (found,) if isinstance(found, str) else found or ()


def _migrate_in_turn(dsn: str, service: str, versions: Path) -> None:
    with _IN_TURN:
        asyncio.run(_migrate(dsn, service, versions))


async def _migrate(dsn: str, service: str, versions: Path) -> None:
    from sqlalchemy import make_url
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    url = make_url(dsn).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade, service, versions)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, service: str, versions: Path) -> None:
    from alembic import command
    from sqlalchemy import text

    lock = text("SELECT pg_advisory_xact_lock(hashtext('signalbox.' || :service || '.migrate'))")
    connection.execute(lock, {"service": service})
    connection.execute(text(f'SET LOCAL ROLE "{service}_owner"'))
    connection.execute(text(f'SET LOCAL search_path TO "{service}"'))
    connection.execute(text(f"SET LOCAL lock_timeout TO '{WAIT_FOR_TABLES}'"))
    config = _config(service, versions)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config(service: str, versions: Path) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(ENVIRONMENT).replace("%", "%%"))
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["service"] = service
    return config
