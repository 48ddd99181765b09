"""Real servers for tests: one NATS and one PostgreSQL for each xdist worker, a fresh database for each module."""

import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from libs.embedded.data_folder import DataFolder
from libs.embedded.nats_config import NatsUser
from libs.embedded.nats_server import NatsServer
from libs.embedded.postgres_server import SUPERUSER, PostgresServer


@dataclass(frozen=True, slots=True)
class Database:
    """One database of the worker's PostgreSQL."""

    server: PostgresServer
    name: str

    @property
    def url(self) -> str:
        """As superuser, for asyncpg."""
        return self.url_of(SUPERUSER)

    def url_of(self, role: str) -> str:
        """As a role that the migrations made."""
        return self.server.url_of(role, self.name)

    def execute(self, sql: str) -> str:
        """One statement as superuser."""
        return self.server.execute(sql, self.name)


Template = Callable[[Database], None]


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that PostgreSQL's own user can reach, which pytest's tmp_path is not when run as root."""
    folder = Path(tempfile.mkdtemp(prefix="signalbox-test-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Templates:
    """Databases to clone from: each filled once by its function, as soon as a module asks for it."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self._made: dict[Template, str] = {}

    def fresh(self, fill: Template | None) -> Database:
        """A new database, cloned from what `fill` made of an empty one, or empty."""
        template = "template0" if fill is None else self._made.get(fill) or self._make(fill)
        return self._clone(template)

    def _make(self, fill: Template) -> str:
        template = self._clone("template0")
        fill(template)
        self._made[fill] = template.name
        return template.name

    def _clone(self, template: str) -> Database:
        name = f"test_{secrets.token_hex(6)}"
        self.server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return Database(self.server, name)


@pytest.fixture(scope="session")
def server_folder() -> Iterator[DataFolder]:
    """The claimed data folder of this worker's servers."""
    with open_folder() as folder, DataFolder.claim(folder / "data") as claimed:
        yield claimed


@pytest.fixture(scope="session")
def nats_server(server_folder: DataFolder) -> Iterator[NatsServer]:
    """A broker with the one user `admin`, who may do everything."""
    server = NatsServer(server_folder, [NatsUser("admin")])
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_server(server_folder: DataFolder) -> Iterator[PostgresServer]:
    """A cluster without fsync."""
    server = PostgresServer(server_folder, durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def templates(postgres_server: PostgresServer) -> Templates:
    """The templates of this worker."""
    return Templates(postgres_server)


@pytest.fixture(scope="module")
def database_template() -> Template | None:
    """Override in a module or a conftest: a named function that fills an empty database, e.g. by migrating it."""
    return None


@pytest.fixture(scope="module")
def database(templates: Templates, database_template: Template | None) -> Iterator[Database]:
    """A database that only this module uses."""
    fresh = templates.fresh(database_template)
    yield fresh
    fresh.server.execute(f"DROP DATABASE {fresh.name} WITH (FORCE)")
