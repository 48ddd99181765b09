"""One running service: its parts are built, started in order, run side by side and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import httpx
import nats.errors
import structlog
from faststream import FastStream

from libs.chassis.broker import Connection, make_broker
from libs.chassis.clock import Clock, SimulatedClock, WallClock, real_now
from libs.chassis.configuration import ConfigurationHolder
from libs.chassis.consumer import Consumer
from libs.chassis.database import DATABASE_TROUBLE, Database
from libs.chassis.events import EventLog
from libs.chassis.health import Checks
from libs.chassis.hearing import FACTS, Hearing
from libs.chassis.http import Server
from libs.chassis.leases import Lease, Leased
from libs.chassis.metrics import Metrics
from libs.chassis.migrations import at_head
from libs.chassis.observer import observe
from libs.chassis.pause import pause
from libs.chassis.pull import Pull
from libs.chassis.relay import Relay
from libs.chassis.replay import Replay
from libs.chassis.resources import Resources, Worker
from libs.chassis.ripeness import Ripeness
from libs.chassis.serving import server
from libs.chassis.shard import Shards
from libs.chassis.simulation import SUBJECT
from libs.chassis.storing import Storing
from libs.chassis.ticking import Ticking
from libs.chassis.timers import Timers, all_ripe
from libs.chassis.tokens import Role, Tokens
from libs.chassis.transaction import Outgoing, Transactions
from libs.chassis.watermark import Watermark
from libs.contracts.event import Speaker

if TYPE_CHECKING:
    from libs.chassis.service import FeedSource, Service

log = structlog.get_logger(__name__)

CONFIGURATION_SECONDS = 1.0
AGAIN_SECONDS = 0.5
TROUBLE: tuple[type[Exception], ...] = (*DATABASE_TROUBLE, nats.errors.Error)


class Process:
    """Runs a Service. Each part gets exactly what it needs; the parts know nothing of each other."""

    def __init__(self, service: Service) -> None:
        self.service, settings = service, service.settings
        self.clock: Clock = SimulatedClock() if settings.clock == "simulated" else WallClock()
        self.metrics = Metrics(service.name, service.version)
        self.database = Database(
            settings.postgres_url.get_secret_value(),
            service.name,
            size=settings.pool_size,
            statement_cache=settings.statement_cache,
        )
        self.configuration = ConfigurationHolder(self.database, service.parse)
        self.relay: Relay | None = None
        self.transactions = Transactions(
            self.database,
            service.speaker,
            self.clock,
            lambda: self.configuration.current,
            self._committed,
            lambda: self.relay is None or not self.relay.holding,
            lambda due: self.timers.armed(due),
        )
        self.link = Connection(self.metrics)
        self.broker = make_broker(settings, service.name, self.link)
        tokens = Tokens(settings.token_secret.get_secret_value())
        token = tokens.issue(f"service:{service.name}", Role.SYSTEM, real_now(), lifetime=timedelta(days=3650))
        self.peers = httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=10)
        self.resources = Resources(
            service.name,
            settings,
            self.database,
            self.transactions,
            self.clock,
            self.configuration,
            self.metrics,
            self.broker,
            tokens,
            self.peers,
        )
        ages = self.metrics.consumer.event_age
        self.hearing = Hearing(service.wanted, service.handle, lambda speaker, age: ages.labels(speaker).observe(age))
        self.shards = Shards(service, self.resources, self.link, self.hearing)
        self.event_log = None if service.speaker is None else EventLog(service.speaker, service.join)
        self.ripeness = self._ripeness()
        ripe = all_ripe if self.ripeness is None else self.ripeness.ripe
        self.timers = Timers(self.database, self.transactions, service.timers, self.clock, self.metrics, ripe)
        self._held: list[Lease] = []
        self.ticking = (
            Ticking(self.clock, self.timers, service.workers, self.resources)
            if isinstance(self.clock, SimulatedClock)
            else None
        )
        self.checks = self._checks()
        self.url = ""
        """Where its API is reached, once it runs."""

    # ---- life -------------------------------------------------------------------------------------------------

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping` is set; then what is in hand is finished and everything is closed."""
        http = self._http()
        served = asyncio.ensure_future(http.serve())
        self.url = http.url
        log.info("listening", url=self.url)
        app = FastStream(self.broker)
        try:
            if await self._start(app, stopping):
                await self._work(stopping)
        finally:
            http.should_exit = True
            await served
            with contextlib.suppress(nats.errors.Error, ConnectionError):
                await asyncio.wait_for(app.stop(), 3)
            await self.peers.aclose()
            await self.database.stop()
            log.info("stopped")

    async def problems(self) -> dict[str, str]:
        """What keeps it from being ready."""
        return {name: reason for name, reason in (await self.checks.run()).items() if reason is not None}

    async def _start(self, app: FastStream, stopping: asyncio.Event) -> bool:
        """Connect to everything; waits as long as it takes. False when it was stopped meanwhile."""

        async def start() -> None:
            await self.database.start()
            await self._prepared()
            if self.ticking is not None:
                self.broker.subscriber(SUBJECT)(self.ticking.answer)
            await app.start()
            self.link.wire = self.broker.wire
            await self._configured()

        started = asyncio.ensure_future(start())
        stopped = asyncio.ensure_future(stopping.wait())
        await asyncio.wait({started, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not started.done():
            started.cancel()
            return False
        stopped.cancel()
        started.result()
        return True

    async def _work(self, stopping: asyncio.Event) -> None:
        """Run all parts side by side; the first that fails ends them all."""
        if self.ticking is not None:
            await self.ticking.began.wait()
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(_end(stopping, over))
            for run in await self._parts():
                group.create_task(run_until(run, over)).add_done_callback(partial(_tell, over))

    async def _parts(self) -> list[Callable[[asyncio.Event], Awaitable[None]]]:
        service = self.service
        parts: list[Callable[[asyncio.Event], Awaitable[None]]] = [self._watch_configuration, self._observe]
        if self.event_log is not None:
            parts.append(self._leased("relay", self._make_relay(self.event_log).run))
        parts += [
            self._leased(f"shard-{shard}", partial(self.shards.hold, shard), shares=True)
            for shard in range(len(service.durables))
        ]
        parts += [self._feed(source).run for source in service.feeds]
        if service.timers:
            if self.ripeness is not None:
                await self.ripeness.start(self.broker.wire)
            parts.append(self._leased("timers", self._fire_timers))
        parts += [self._worker(worker) for worker in service.workers]
        return parts

    # ---- parts ------------------------------------------------------------------------------------------------

    def _leased(
        self, name: str, job: Callable[[asyncio.Event], Awaitable[None]], *, shares: bool = False
    ) -> Callable[[asyncio.Event], Awaitable[None]]:
        lease = Lease(self.database, name, self.service.settings.holder)
        self.metrics.timers.lease_held.labels(name).set_function(lambda: float(lease.held))
        self._held.append(lease)
        shards = [held for held in self._held if held.name.startswith("shard-")]
        burden = (lambda: sum(held.held for held in shards)) if shares else (lambda: 0)
        return Leased(lease, job, burden).run

    def _make_relay(self, event_log: EventLog) -> Relay:
        speaker = event_log.speaker
        watermark = Watermark(speaker, FACTS) if speaker is Speaker.INTAKE else None
        self.relay = Relay(
            self.database,
            self.broker.wire,
            event_log.waiting,
            self.metrics,
            self.clock,
            watermark,
            f"facts_{speaker}",
            0.0 if self.ticking is not None else self.service.settings.strike_ms / 1000,
        )
        self.link.on_reconnect(self.relay.forget)
        return self.relay

    def _feed(self, source: FeedSource) -> Consumer:
        settings = self.service.settings
        pull = Pull(
            self.broker.wire,
            source.stream,
            {source.durable: self.service.patience_of(source.patience)},
            settings.batch_size,
        )
        self.link.on_reconnect(pull.forget)
        storing = Storing(source.feed, self.transactions, self.metrics)
        return Consumer(pull, storing, size=settings.batch_size, linger=settings.linger_ms / 1000)

    def _worker(self, worker: Worker) -> Callable[[asyncio.Event], Awaitable[None]]:
        async def run(over: asyncio.Event) -> None:
            await worker.run(self.resources, over)

        return self._leased(worker.name, run) if worker.leased else run

    async def _fire_timers(self, over: asyncio.Event) -> None:
        """On real time poll; simulated timers fire in the tick."""
        if self.ticking is not None:
            await over.wait()
        else:
            await self.timers.run(over)

    def _ripeness(self) -> Ripeness | None:
        """None where timers wait for nobody: simulated time moves only when all is said and heard."""
        speaker = self.service.waits_for
        if speaker is None or isinstance(self.clock, SimulatedClock):
            return None
        return Ripeness(self.database, self.clock, speaker, self.service.durables_of(speaker))

    def _committed(self, facts: list[Outgoing]) -> None:
        if self.relay is not None:
            self.relay.offer(facts)

    async def _observe(self, over: asyncio.Event) -> None:
        durables = [(FACTS, durable) for shard in self.service.durables for durable in shard]
        durables += [(source.stream, source.durable) for source in self.service.feeds]
        await observe(self.resources, durables, over)

    # ---- configuration ----------------------------------------------------------------------------------------

    async def _configured(self) -> None:
        """Wait for a first configuration; without one nothing can be decided."""
        while True:
            with contextlib.suppress(*DATABASE_TROUBLE):
                await self.link.fetch_configuration(self.configuration)
            if self.configuration.ready:
                return
            await asyncio.sleep(0.2)

    async def _watch_configuration(self, over: asyncio.Event) -> None:
        while not over.is_set():
            await self.link.fetch_configuration(self.configuration)
            await pause(over, CONFIGURATION_SECONDS)

    async def _prepared(self) -> None:
        """Wait for a migrated schema, and take the configuration that is copied there."""
        while True:
            try:
                if await self._at_head():
                    await self.configuration.load()
                    return
                log.warning("the schema is not migrated: run `signalbox migrate`")
            except DATABASE_TROUBLE as trouble:
                log.warning("the start waits for the database", reason=str(trouble))
            await asyncio.sleep(1)

    async def _at_head(self) -> bool:
        async with self.database.connection() as connection:
            return await at_head(connection, self.service.name, self.service.migrations)

    # ---- HTTP -------------------------------------------------------------------------------------------------

    def _http(self) -> Server:
        service = self.service
        replay = Replay(self.database, self.transactions, self.hearing, [source.feed for source in service.feeds])
        state = {"repairs": self.shards.repairs, "replay": replay, "event_log": self.event_log}
        return server(service, self.resources, self.checks, state)

    def _checks(self) -> Checks:
        checks = Checks()
        checks.add("postgres", self._postgres_problem)
        checks.add("nats", self.link.problem)
        checks.add("configuration", self._configuration_problem)
        return checks

    async def _postgres_problem(self) -> str | None:
        return None if await self._at_head() else "the schema is not migrated: run `signalbox migrate`"

    async def _configuration_problem(self) -> str | None:
        return None if self.configuration.ready else self.configuration.problem


async def run_until(run: Callable[[asyncio.Event], Awaitable[None]], over: asyncio.Event) -> None:
    """A part outlives the database and the broker: what it raises for their sake only means that it begins again."""
    while True:
        try:
            await run(over)
        except* TROUBLE as troubles:
            log.warning("a part begins again", reason=str(troubles.exceptions[0]))
        else:
            return
        if over.is_set():
            return
        await asyncio.sleep(AGAIN_SECONDS)


async def _end(stopping: asyncio.Event, over: asyncio.Event) -> None:
    await stopping.wait()
    over.set()


def _tell(over: asyncio.Event, part: asyncio.Task[None]) -> None:
    """A fault of one part is the end for all: they are cancelled, and told, because a cancellation can be lost in
    `asyncio.wait_for` of Python 3.11 (cpython#86296)."""
    if not part.cancelled() and part.exception() is not None:
        over.set()
