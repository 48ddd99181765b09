"""Services run inside the test, against a NATS and a PostgreSQL that only this module uses."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from nats.aio.client import Client

from libs.chassis.configuration import BUCKET, KEY, Bundle
from libs.chassis.logs import configure_logs
from libs.chassis.migrations import versions_folder
from libs.chassis.process import Process
from libs.chassis.service import Service
from libs.chassis.settings import Settings
from libs.embedded.data_folder import DataFolder
from libs.embedded.nats_server import NatsServer
from libs.embedded.secrets import Secrets
from signalbox.provisioning.broker import administrator
from signalbox.provisioning.permissions import users
from signalbox.provisioning.provision import Servers, provision
from signalbox.services import SERVICES, Hears
from tests.support.servers import Database, open_folder

SETTLED_SECONDS = 15.0
TOKEN_SECRET = "a secret of at least thirty-two bytes"
MAIL_SECRET = "another secret of thirty-two bytes!!"

S = TypeVar("S", bound=Settings)


@dataclass
class Stack:
    """The servers, and what services need to run against them."""

    nats: NatsServer
    database: Database
    broker_secrets: Secrets
    postgres_secrets: Secrets
    shards: int = 1
    urls: dict[str, str] = field(default_factory=dict)

    def settings(self, kind: type[S], service: str, **changes: Any) -> S:
        """The settings of a service in this test."""
        given: dict[str, Any] = {
            "postgres_url": self.database.url_of(service),
            "nats_url": self.nats.url,
            "nats_user": service,
            "nats_password": self.broker_secrets.nats_password(service),
            "http_port": 0,
            "shards": self.shards,
            "holder": service,
            "token_secret": TOKEN_SECRET,
            "mail_secret": MAIL_SECRET,
            "log_level": "warning",
            **{f"{name}_url": url for name, url in self.urls.items()},
            **changes,
        }
        return kind.model_validate(given)

    async def provision(self, hears: Hears, versions: Callable[[str], Path] = versions_folder) -> None:
        """Roles, schemas, streams and consumers for the services named."""
        servers = Servers(
            postgres_url=self.database.url,
            postgres_passwords={service: self.postgres_secrets.postgres_password(service) for service in SERVICES},
            nats_url=self.nats.url,
            nats_user="admin",
            nats_password=self.broker_secrets.nats_password("admin"),
        )
        await provision(servers, hears, self.shards, versions=versions)

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[Client]:
        """A connection of the broker's administrator."""
        async with administrator(self.nats.url, "admin", self.broker_secrets.nats_password("admin")) as client:
            yield client

    async def configure(self, files: Mapping[str, Any], version: int = 1) -> None:
        """Put a configuration bundle in force."""
        async with self.admin() as client:
            bucket = await client.jetstream().key_value(BUCKET)
            await bucket.put(KEY, Bundle(version, files).encode())

    @asynccontextmanager
    async def running(self, service: Service) -> AsyncIterator[Process]:
        """A service that runs until the block ends; ready when the block begins."""
        process = Process(service)
        stopping = asyncio.Event()
        run = asyncio.ensure_future(process.run(stopping))
        try:
            async with asyncio.timeout(SETTLED_SECONDS):
                while not run.done() and await process.problems():
                    await asyncio.sleep(0.02)
            if run.done():
                run.result()
            self.urls[service.name] = process.url
            yield process
        finally:
            stopping.set()
            await run

    def client(self, process: Process, token: str | None = None) -> httpx.AsyncClient:
        """An HTTP client of a running service, with its system token unless another is given."""
        headers = {"Authorization": f"Bearer {token}"} if token else dict(process.resources.peers.headers)
        return httpx.AsyncClient(base_url=process.url, headers=headers, timeout=10)


async def until(condition: Callable[[], Any], seconds: float = SETTLED_SECONDS) -> Any:
    """Wait until a (possibly async) condition gives something true, and return it; AssertionError after `seconds`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        assert loop.time() < deadline, f"not so within {seconds:g} s: {condition}"
        await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def shards() -> int:
    """Override in a module that wants several."""
    return 1


@pytest.fixture(scope="module")
def stack(database: Database, server_folder: DataFolder, shards: int) -> Iterator[Stack]:
    """A broker of this module's own, with the real users and rights, and this module's database."""
    with open_folder() as path, DataFolder.claim(path / "data") as folder:
        nats = NatsServer(folder, users(shards))
        nats.start()
        configure_logs("test", "warning", "console")
        yield Stack(nats, database, folder.secrets, server_folder.secrets, shards)
        nats.stop()
