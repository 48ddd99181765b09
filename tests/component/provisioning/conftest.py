"""Services that exist for these tests only: their roles, their schemas, their migrations."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import asyncpg
import pytest

from libs.chassis.roles import ServiceRole
from tests.support.servers import Database

FIRST = """
from alembic import op

from libs.chassis.tables import create_chassis_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_chassis_tables(op)
    op.execute("CREATE TABLE tickets (id text PRIMARY KEY)")
"""
SECOND = """
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE tickets ADD COLUMN title text")
"""

Connection = AbstractAsyncContextManager["asyncpg.Connection[asyncpg.Record]"]


class Connect(Protocol):
    """Opens a connection as a role; as the administrator without one."""

    def __call__(self, role: str | None = None) -> Connection:
        """The connection, closed at the end of the block."""


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    """A folder with the first migration of a service."""
    (tmp_path / "0001_first.py").write_text(FIRST)
    return tmp_path


@pytest.fixture
def second_version(versions: Path) -> Path:
    """The same folder, one release later."""
    (versions / "0002_second.py").write_text(SECOND)
    return versions


@pytest.fixture(scope="module")
def connect(database: Database) -> Connect:
    """Connections to the module's database."""

    @asynccontextmanager
    async def opened(role: str | None = None) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
        connection = await asyncpg.connect(database.url if role is None else database.url_of(role))
        try:
            yield connection
        finally:
            await connection.close()

    return opened


def role_of(database: Database, service: str) -> ServiceRole:
    """The role of a service with the password that `database.url_of` uses."""
    return ServiceRole(service, database.server.folder.secrets.postgres_password(service))
