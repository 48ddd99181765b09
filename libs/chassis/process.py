"""One running service: its parts are built, started in order, run side by side and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
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
from libs.chassis.database import Database
from libs.chassis.events import EventLog
from libs.chassis.hearing import FACTS, Hearing
from libs.chassis.http import Server
from libs.chassis.leases import Leases
from libs.chassis.metrics import Metrics
from libs.chassis.observer import observe
from libs.chassis.parts import Part, run_parts
from libs.chassis.pull import Pull
from libs.chassis.readiness import Readiness
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
        self.link = Connection(self.metrics)
        self.readiness = Readiness(service.name, service.migrations, self.database, self.link, self.configuration)
        self.leases = Leases(self.database, settings.holder, self.metrics.timers)
        self.relay: Relay | None = None
        self.transactions = self._make_transactions()
        self.resources = self._make_resources()
        self.event_log = None if service.speaker is None else EventLog(service.speaker, service.join)
        ages = self.metrics.consumer.event_age
        self.hearing = Hearing(service.wanted, service.handle, lambda speaker, age: ages.labels(speaker).observe(age))
        self.shards = Shards(service, self.resources, self.link, self.hearing)
        self.ripeness = self._make_ripeness()
        ripe = all_ripe if self.ripeness is None else self.ripeness.ripe
        self.timers = Timers(self.database, self.transactions, service.timers, self.clock, self.metrics, ripe)
        self.ticking = self._make_ticking()
        self.url = ""
        """Where its API is reached, once it runs."""

    # ---- what it is made of -----------------------------------------------------------------------------------

    def _make_transactions(self) -> Transactions:
        return Transactions(
            self.database,
            self.service.speaker,
            self.clock,
            lambda: self.configuration.current,
            self._committed,
            lambda: self.relay is None or not self.relay.holding,
            lambda due: self.timers.armed(due),
        )

    def _make_resources(self) -> Resources:
        name, settings = self.service.name, self.service.settings
        tokens = Tokens(settings.token_secret.get_secret_value())
        token = tokens.issue(f"service:{name}", Role.SYSTEM, real_now(), lifetime=timedelta(days=3650))
        return Resources(
            name,
            settings,
            self.database,
            self.transactions,
            self.clock,
            self.configuration,
            self.metrics,
            make_broker(settings, name, self.link),
            tokens,
            httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=10),
        )

    def _make_ripeness(self) -> Ripeness | None:
        """None where timers wait for nobody: simulated time moves only when all is said and heard."""
        speaker = self.service.waits_for
        if speaker is None or isinstance(self.clock, SimulatedClock):
            return None
        return Ripeness(self.database, self.clock, speaker, self.service.durables_of(speaker))

    def _make_ticking(self) -> Ticking | None:
        if not isinstance(self.clock, SimulatedClock):
            return None
        return Ticking(self.clock, self.timers, self.service.workers, self.resources)

    # ---- life -------------------------------------------------------------------------------------------------

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping` is set; then what is in hand is finished and everything is closed."""
        http = self._http()
        served = asyncio.ensure_future(http.serve())
        self.url = http.url
        log.info("listening", url=self.url)
        app = FastStream(self.resources.broker)
        try:
            if await self._start(app, stopping):
                await self._work(stopping)
        finally:
            http.should_exit = True
            await served
            with contextlib.suppress(nats.errors.Error, ConnectionError):
                await asyncio.wait_for(app.stop(), 3)
            await self.resources.peers.aclose()
            await self.database.stop()
            log.info("stopped")

    async def problems(self) -> dict[str, str]:
        """What keeps it from being ready."""
        return await self.readiness.problems()

    async def _start(self, app: FastStream, stopping: asyncio.Event) -> bool:
        """Connect to everything; waits as long as it takes. False when it was stopped meanwhile."""

        async def start() -> None:
            await self.database.start()
            await self.readiness.migrated()
            if self.ticking is not None:
                self.resources.broker.subscriber(SUBJECT)(self.ticking.answer)
            await app.start()
            self.link.wire = self.resources.broker.wire
            await self.readiness.configured()

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
        if self.ticking is not None:
            await self.ticking.began.wait()
        if self.ripeness is not None:
            await self.ripeness.start(self.resources.broker.wire)
        await run_parts(self._parts(), stopping)

    def _parts(self) -> list[Part]:
        service, leased = self.service, self.leases.leased
        parts: list[Part] = [self.readiness.watch_configuration, self._observe]
        if self.event_log is not None:
            parts.append(leased("relay", self._make_relay(self.event_log).run))
        parts += [
            leased(f"shard-{shard}", partial(self.shards.hold, shard), shares=True)
            for shard in range(len(service.durables))
        ]
        parts += [self._feed(source).run for source in service.feeds]
        if service.timers:
            parts.append(leased("timers", self._fire_timers))
        parts += [self._worker(worker) for worker in service.workers]
        return parts

    # ---- parts ------------------------------------------------------------------------------------------------

    def _make_relay(self, event_log: EventLog) -> Relay:
        speaker = event_log.speaker
        watermark = Watermark(speaker, FACTS) if speaker is Speaker.INTAKE else None
        self.relay = Relay(
            self.database,
            self.resources.broker.wire,
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
            self.resources.broker.wire,
            source.stream,
            {source.durable: self.service.patience_of(source.patience)},
            settings.batch_size,
        )
        self.link.on_reconnect(pull.forget)
        storing = Storing(source.feed, self.transactions, self.metrics)
        return Consumer(pull, storing, size=settings.batch_size, linger=settings.linger_ms / 1000)

    def _worker(self, worker: Worker) -> Part:
        run = partial(worker.run, self.resources)
        return self.leases.leased(worker.name, run) if worker.leased else run

    async def _fire_timers(self, over: asyncio.Event) -> None:
        """On real time poll; simulated timers fire in the tick."""
        if self.ticking is not None:
            await over.wait()
        else:
            await self.timers.run(over)

    def _committed(self, facts: list[Outgoing]) -> None:
        if self.relay is not None:
            self.relay.offer(facts)

    async def _observe(self, over: asyncio.Event) -> None:
        durables = [(FACTS, durable) for shard in self.service.durables for durable in shard]
        durables += [(source.stream, source.durable) for source in self.service.feeds]
        await observe(self.resources, durables, over)

    # ---- HTTP -------------------------------------------------------------------------------------------------

    def _http(self) -> Server:
        service = self.service
        replay = Replay(self.database, self.transactions, self.hearing, [source.feed for source in service.feeds])
        state = {"repairs": self.shards.repairs, "replay": replay, "event_log": self.event_log}
        return server(service, self.resources, self.readiness.checks, state)
