"""The embedded stack: NATS, PostgreSQL and the five services on one machine, from nothing to ready in seconds."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Self

import httpx
import structlog

from libs.chassis.configuration import Bundle
from libs.chassis.driver import Driver
from libs.embedded.data_folder import DataFolder
from libs.embedded.nats_server import NatsServer
from libs.embedded.ports import LOOPBACK, free_ports
from libs.embedded.postgres_server import PostgresServer
from libs.embedded.server import start_both_async
from signalbox.configuration import apply_configuration, read_configuration
from signalbox.provisioning.durables import durables
from signalbox.provisioning.permissions import ADMIN, DRIVER, SOURCES, users
from signalbox.provisioning.provision import Servers, provision, provision_broker
from signalbox.services import SERVICES, hears
from signalbox.spool import Spool
from signalbox.stack.keeper import Keeper
from signalbox.stack.service_child import ServiceChild

log = structlog.get_logger(__name__)

READY_SECONDS = 60.0
COMPLETE_SECONDS = 10.0
DATABASE = "postgres"
NEWEST = "SELECT bundle FROM intake.configuration ORDER BY version DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class StackOptions:
    """How a stack is run.

    http_port: port of intake, the others follow; None takes free ones. start: simulated time begins here; None is
    real time. replicas: processes of each service. environment: further settings for all services. postgres_settings:
    added to those of PostgreSQL.
    """

    configuration: Path
    http_port: int | None = None
    smtp_port: int | None = None
    start: datetime | None = None
    shards: int = 1
    replicas: int = 1
    sources: tuple[str, ...] = SOURCES
    environment: Mapping[str, str] = field(default_factory=dict)
    postgres_settings: Mapping[str, str] = field(default_factory=dict)


class Stack:
    """Runs in the process that made it. `async with Stack.up(...)` ends with everything stopped."""

    def __init__(self, folder: DataFolder, options: StackOptions) -> None:
        self.folder, self.options = folder, options
        self.nats = NatsServer(folder, users(options.shards, options.sources))
        self.postgres = PostgresServer(folder, settings=options.postgres_settings)
        self.spool = Spool(folder.path / "outbox")
        self.children: list[ServiceChild] = []
        self.driver: Driver | None = None
        self.smtp_port = 0

    @classmethod
    @asynccontextmanager
    async def up(
        cls, path: Path, options: StackOptions, report: Callable[[str], None] = lambda _: None
    ) -> AsyncIterator[Self]:
        """Everything ready; FolderInUse when another stack has the folder, RuntimeError naming what did not start."""
        async with AsyncExitStack() as cleanup:
            folder = cleanup.enter_context(DataFolder.claim(path))
            stack = cls(folder, options)
            cleanup.push_async_callback(stack._stop)
            await stack._start(report)
            yield stack

    # ---- starting ---------------------------------------------------------------------------------------------

    async def _start(self, report: Callable[[str], None]) -> None:
        await start_both_async(self.nats, self.postgres)
        report("nats-server and PostgreSQL are ready")
        await self.spool.start()
        await provision(self.servers, self.hears, self.options.shards, report=report)
        await self.configure(self.options.configuration, only_if_none=True)
        self._make_children()
        for child in self.children:
            child.start()
        self._write_down()
        if self.options.start is not None:
            await self._start_driver(self.options.start)
        await self.ready()
        report("all services are ready")

    async def ready(self) -> None:
        """Wait until every service answers /readyz; RuntimeError with the last words of one that died or is late."""
        async with httpx.AsyncClient() as client:
            try:
                async with asyncio.timeout(READY_SECONDS):
                    await asyncio.gather(*(self._ready(child, client) for child in self.children))
            except TimeoutError:
                late = [child for child in self.children if not await child.is_ready(client)]
                words = "\n".join(f"{child.label}:\n{child.last_words()}" for child in late)
                raise RuntimeError(f"not ready within {READY_SECONDS:g} s: {words}") from None

    async def _ready(self, child: ServiceChild, client: httpx.AsyncClient) -> None:
        while not await child.is_ready(client):
            if not child.running:
                raise RuntimeError(f"{child.label} ended with code {child.exit_code}:\n{child.last_words()}")
            await asyncio.sleep(0.05)

    async def _start_driver(self, start: datetime) -> None:
        names = [child.label for child in self.children]
        consumers = [(d.stream, d.name) for service in SERVICES for d in durables(service, hears(service), 1)]
        self.driver = Driver(self.nats.url_of(DRIVER), names, consumers, start)
        await self.driver.start()
        await self.driver.begin()

    def _make_children(self) -> None:
        first, replicas = self.options.http_port, self.options.replicas
        # all at once, so that no port is given to two
        free = iter(free_ports((len(SERVICES) + 1) * replicas))
        known = dict(zip(SERVICES, free if first is None else count(first), strict=False))
        self.smtp_port = self.options.smtp_port or next(free)
        for replica in range(replicas):
            smtp_port = self.smtp_port if replica == 0 else next(free)
            for service in SERVICES:
                label = service if replica == 0 else f"{service}-{replica + 1}"
                port = known[service] if replica == 0 else next(free)
                log_file = self.folder.logs / f"{label}.log"
                environment = self._environment(service, label, port, smtp_port, known)
                self.children.append(ServiceChild(service, environment, log_file, f"http://{LOOPBACK}:{port}", label))

    def _environment(
        self, service: str, label: str, port: int, smtp_port: int, ports: Mapping[str, int]
    ) -> dict[str, str]:
        secrets = self.folder.secrets
        return {
            "SIGNALBOX_ENV": "development",
            "SIGNALBOX_CLOCK": "real" if self.options.start is None else "simulated",
            "SIGNALBOX_POSTGRES_URL": self.postgres.url_of(service, DATABASE),
            "SIGNALBOX_NATS_URL": self.nats.url,
            "SIGNALBOX_NATS_USER": service,
            "SIGNALBOX_NATS_PASSWORD": secrets.nats_password(service),
            "SIGNALBOX_HTTP_PORT": str(port),
            "SIGNALBOX_HOLDER": label,
            "SIGNALBOX_SHARDS": str(self.options.shards),
            "SIGNALBOX_TOKEN_SECRET": secrets.token_signing_key(),
            "SIGNALBOX_MAIL_SECRET": secrets.hmac_key("mail"),
            "SIGNALBOX_SMTP_PORT": str(smtp_port),
            "SIGNALBOX_SMTP_URL": self.spool.url,
            **{f"SIGNALBOX_{name.upper()}_URL": f"http://{LOOPBACK}:{number}" for name, number in ports.items()},
            **self.options.environment,
        }

    # ---- what it is made of -----------------------------------------------------------------------------------

    @property
    def servers(self) -> Servers:
        """How the administrator reaches both servers."""
        secrets = self.folder.secrets
        return Servers(
            postgres_url=self.postgres.url_of("postgres", DATABASE),
            postgres_passwords={service: secrets.postgres_password(service) for service in SERVICES},
            nats_url=self.nats.url,
            nats_user=ADMIN,
            nats_password=secrets.nats_password(ADMIN),
        )

    @property
    def hears(self) -> dict[str, tuple[type[Any], ...]]:
        return {service: hears(service) for service in SERVICES}

    @property
    def urls(self) -> dict[str, str]:
        """The API of each service's first replica."""
        return {child.name: child.url for child in self.children if child.label == child.name}

    def child(self, label: str) -> ServiceChild:
        """One service process by its label; LookupError if there is none."""
        for child in self.children:
            if child.label == label:
                return child
        raise LookupError(label)

    async def configure(self, folder: Path, *, only_if_none: bool = False) -> None:
        """Put a configuration folder in force."""
        await apply_configuration(self.servers, read_configuration(folder), only_if_none=only_if_none)

    # ---- running ----------------------------------------------------------------------------------------------

    async def keep(self, stopping: asyncio.Event) -> None:
        """Keep everything running until `stopping`: what dies is started again."""
        await Keeper(self.nats, self.postgres, self.children, self._complete_broker).keep(stopping)

    async def _complete_broker(self) -> None:
        """Streams, consumers and configuration as they have to be; gives up soon, for the broker may die meanwhile."""
        servers = replace(self.servers, patience=COMPLETE_SECONDS)
        await provision_broker(servers, self.hears, self.options.shards)
        files = await asyncio.to_thread(self._files_in_force)
        await apply_configuration(self.servers, files, only_if_none=True)

    def _files_in_force(self) -> Mapping[str, Any]:
        """What was applied last, of which every service has a copy; what the stack was started with, if nothing was."""
        document = self.postgres.execute(NEWEST, DATABASE)
        return Bundle.decode(document).files if document else read_configuration(self.options.configuration)

    async def _stop(self) -> None:
        if self.driver is not None:
            await self.driver.stop()
        await asyncio.gather(*(child.stop() for child in self.children))
        await self.spool.stop()
        await asyncio.to_thread(self.nats.stop)
        await asyncio.to_thread(self.postgres.stop)
        self.folder.stack.unlink(missing_ok=True)

    def _write_down(self) -> None:
        """What client commands need to find the system, beside secrets.json."""
        content = {
            "pid": os.getpid(),
            "services": {child.label: {"url": child.url, "pid": child.pid} for child in self.children},
            "nats": self.nats.url,
            "postgres": f"socket of database {DATABASE}",
            "smtp": f"{LOOPBACK}:{self.smtp_port}",
            "outbox": str(self.spool.folder),
            "simulated": self.options.start is not None,
        }
        self.folder.stack.write_text(json.dumps(content, indent=2) + "\n")
