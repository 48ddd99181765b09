"""Jobs beside facts and requests: showing metrics, measuring gauges, rebuilding."""

import asyncio
from dataclasses import dataclass

import structlog

from libs.chassis.database import DATABASE_TROUBLE
from libs.chassis.pause import pause
from libs.chassis.resources import Resources, Worker
from services.reporting.metrics import ReportingMetrics
from services.reporting.queries import snapshot
from services.reporting.rebuild import Rebuilds

log = structlog.get_logger(__name__)

MEASURE_SECONDS = 15.0
ASK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Jobs:
    """Gauges are measured by one replica, rebuilding is done by one; every replica shows its metrics."""

    metrics: ReportingMetrics

    def workers(self) -> list[Worker]:
        return [
            Worker("metrics", self.show),
            Worker("gauges", self.measure, leased=True),
            Worker("rebuild", self.rebuild, leased=True),
        ]

    async def show(self, resources: Resources, over: asyncio.Event) -> None:
        """Register, once for a process; that is all."""
        if not self.metrics.is_shown:
            self.metrics.register(resources.metrics.registry)

    async def measure(self, resources: Resources, over: asyncio.Event) -> None:
        """Every 15 s, until it is over."""
        while not over.is_set():
            try:
                async with snapshot(resources.database) as queries:
                    standing, unassigned = await queries.standing(), await queries.unassigned()
                self.metrics.standing.measure(standing, unassigned, resources.clock.now())
            except DATABASE_TROUBLE as trouble:
                log.info("gauges wait for the database", reason=str(trouble))
            await pause(over, MEASURE_SECONDS)
        self.metrics.standing.forget()

    async def rebuild(self, resources: Resources, over: asyncio.Event) -> None:
        """Do the rebuilds that are asked for; one that its replica did not live to end is begun again."""
        rebuilds = Rebuilds(resources, over)
        while not over.is_set():
            try:
                differences = await rebuilds.do_next()
                if differences is not None:
                    self.metrics.drift.set(differences)
            except DATABASE_TROUBLE as trouble:
                log.warning("rebuild waits for the database", reason=str(trouble))
            await pause(over, ASK_SECONDS)
