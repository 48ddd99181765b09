"""What the router does beside facts, timers and requests: fill an empty router, and tell Prometheus what waits."""

import asyncio
from datetime import datetime

import stamina
import structlog
from prometheus_client import CollectorRegistry, Gauge

from libs.chassis.database import DATABASE_TROUBLE
from libs.chassis.pause import pause
from libs.chassis.resources import Resources, Worker
from libs.chassis.simulation import Work
from services.router.seeding import seed_if_empty

log = structlog.get_logger(__name__)

WATCH_SECONDS = 5.0
SEEDED = "SELECT EXISTS (SELECT FROM queues)"
DEPTHS = """
SELECT q.key, count(t.id) AS waiting, min(t.queued_at) AS oldest
FROM queues q LEFT JOIN tickets t ON t.queue = q.key AND t.waiting GROUP BY q.key
"""


async def seed(resources: Resources, over: asyncio.Event) -> None:
    """Fill an empty router as soon as it runs, so that everybody knows its agents before the first ticket."""
    async for attempt in stamina.retry_context(on=DATABASE_TROUBLE, attempts=None, timeout=None, wait_max=1.0):
        with attempt:
            async with resources.transactions.begin() as transaction:
                await seed_if_empty(transaction)
    await over.wait()


async def left_to_seed(resources: Resources, now: datetime) -> Work:
    """Simulated time waits until the agents are there."""
    async with resources.database.connection() as connection:
        return Work(busy=not await connection.fetchval(SEEDED))


class QueueMetrics:
    """How much waits where; the queues are the team's own, few and closed."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.waiting = Gauge(
            "signalbox_queue_waiting_tickets", "Tickets that want an agent and have none", ["queue"], registry=registry
        )
        self.oldest = Gauge(
            "signalbox_queue_oldest_waiting_seconds",
            "How long the oldest of them has waited, else 0",
            ["queue"],
            registry=registry,
        )

    async def measure(self, resources: Resources) -> None:
        """Look at every queue once."""
        async with resources.database.connection() as connection:
            rows = await connection.fetch(DEPTHS)
        now = resources.clock.now()
        for row in rows:
            self.waiting.labels(row["key"]).set(row["waiting"])
            waited = (now - row["oldest"]).total_seconds() if row["oldest"] is not None else 0.0
            self.oldest.labels(row["key"]).set(max(0.0, waited))


class Watch:
    """Measures the queues every few seconds."""

    def __init__(self) -> None:
        self._metrics: QueueMetrics | None = None

    async def run(self, resources: Resources, over: asyncio.Event) -> None:
        """The worker; it may begin again in the same process."""
        metrics = self._metrics = self._metrics or QueueMetrics(resources.metrics.registry)
        while not over.is_set():
            try:
                await metrics.measure(resources)
            except DATABASE_TROUBLE as trouble:
                log.warning("queues could not be measured", reason=str(trouble))
            await pause(over, WATCH_SECONDS)


def workers() -> tuple[Worker, ...]:
    """Those of one process."""
    return Worker("seed", seed, leased=True, left=left_to_seed), Worker("watch", Watch().run)
