"""The system under test: the embedded stack inside this process, so that its children can be signalled."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from libs.chassis.clock import real_now
from libs.chassis.database import DATABASE_TROUBLE
from libs.chassis.tokens import Role, Tokens
from libs.embedded.data_folder import DataFolder
from signalbox.stack.service_child import ServiceChild
from signalbox.stack.stack import DATABASE, Stack, StackOptions
from tests.faults.harness.configuration import AGENTS, write_configuration
from tests.faults.harness.spool import HesitantSpool
from tests.support.servers import open_folder

READY_SECONDS = 60.0
WATCH_SECONDS = 0.05


class FaultStack(Stack):
    """A stack whose mail server can hesitate."""

    def __init__(self, folder: DataFolder, options: StackOptions) -> None:
        super().__init__(folder, options)
        self.spool: HesitantSpool = HesitantSpool(folder.path / "outbox")


class Rig:
    """A running stack and what tests need of it beside its public doors: the superuser's view of its tables."""

    def __init__(self, stack: FaultStack) -> None:
        self.stack = stack
        self.token = Tokens(stack.folder.secrets.token_signing_key()).issue(
            "faults", Role.ADMIN, real_now(), agent=AGENTS[0], lifetime=timedelta(hours=12)
        )
        self.starts: dict[str, list[int]] = {}
        """The process ids that each service has had."""
        self.admin = httpx.AsyncClient(timeout=15)
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def start(self) -> None:
        """Connect to the database as its superuser."""
        url = self.stack.postgres.url_of("postgres", DATABASE)
        self._pool = await asyncpg.create_pool(url, min_size=0, max_size=4, statement_cache_size=0, command_timeout=30)

    async def stop(self) -> None:
        """Disconnect."""
        await self.admin.aclose()
        if self._pool is not None:
            self._pool.terminate()

    async def rows(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Rows of a query as superuser, as soon as the database is there."""
        assert self._pool is not None
        while True:
            try:
                return await self._pool.fetch(sql, *arguments)
            except DATABASE_TROUBLE:
                await asyncio.sleep(0.1)

    async def value(self, sql: str, *arguments: object) -> Any:
        """The one value of a query."""
        return (await self.rows(sql, *arguments))[0][0]

    async def execute(self, sql: str) -> None:
        """Statements as superuser."""
        assert self._pool is not None
        await self._pool.execute(sql)

    async def ready(self, child: ServiceChild, seconds: float = READY_SECONDS) -> None:
        """Wait until a service answers that it is ready."""
        async with asyncio.timeout(seconds):
            while not (child.running and await child.is_ready(self.admin)):
                await asyncio.sleep(0.1)

    async def all_ready(self, seconds: float = READY_SECONDS) -> None:
        """Wait until everything runs and every service is ready."""
        async with asyncio.timeout(seconds):
            while not (self.stack.nats.running and self.stack.postgres.running):
                await asyncio.sleep(0.1)
        await asyncio.gather(*(self.ready(child, seconds) for child in self.stack.children))

    def replicas(self, service: str) -> Sequence[ServiceChild]:
        """The processes of one service."""
        return [child for child in self.stack.children if child.name == service]

    async def watch(self) -> None:
        """Note every process id that a service gets, for ever."""
        while True:
            for child in self.stack.children:
                seen = self.starts.setdefault(child.label, [])
                if child.pid is not None and child.pid not in seen:
                    seen.append(child.pid)
            await asyncio.sleep(WATCH_SECONDS)


@asynccontextmanager
async def running_rig(
    *, shards: int = 1, replicas: int = 1, keep: bool = True, folder: Path | None = None
) -> AsyncIterator[Rig]:
    """A fresh system, until the block ends. keep: whatever dies is started again."""
    with open_folder() as temporary:
        place = folder or temporary
        configuration = write_configuration(place / "config")
        options = StackOptions(
            configuration,
            shards=shards,
            replicas=replicas,
            environment={"SIGNALBOX_LOG_LEVEL": "warning", "SIGNALBOX_STRIKE_MS": "0"},
        )
        async with FaultStack.up(place / "data", options) as stack:
            rig = Rig(stack)
            await rig.start()
            stopping = asyncio.Event()
            keeping = asyncio.ensure_future(stack.keep(stopping) if keep else stopping.wait())
            watching = asyncio.ensure_future(rig.watch())
            try:
                yield rig
            finally:
                watching.cancel()
                stopping.set()
                with suppress(TimeoutError):
                    await asyncio.wait_for(keeping, 20)
                await rig.stop()
