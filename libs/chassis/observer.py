"""Looks every few seconds at what waits, for Prometheus: gauges are measured, never counted up and down. What stopped
processes left locked is freed on the way."""

import asyncio
from time import monotonic

import nats.errors
import structlog

from libs.chassis.abandoned import end_abandoned
from libs.chassis.database import DATABASE_TROUBLE
from libs.chassis.idempotency import purge
from libs.chassis.pause import pause
from libs.chassis.resources import Resources

log = structlog.get_logger(__name__)

SECONDS = 5.0
PURGE_SECONDS = 3600.0
TROUBLE: tuple[type[BaseException], ...] = (*DATABASE_TROUBLE, nats.errors.Error)

WAITING = """
SELECT (SELECT coalesce(sum(facts), 0) FROM outbox)::bigint AS unpublished,
       (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(said_at)), 0) FROM outbox)::float AS oldest,
       (SELECT count(*) FROM held) AS held,
       (SELECT count(*) FROM parked WHERE state = 'parked') AS parked,
       (SELECT count(*) FROM timers WHERE due_at <= $1) AS due
"""


async def observe(resources: Resources, durables: list[tuple[str, str]], over: asyncio.Event) -> None:
    """Until it is over. durables: (stream, consumer) pairs of this service."""
    purged_at = 0.0
    while not over.is_set():
        try:
            if monotonic() - purged_at > PURGE_SECONDS:
                purged_at = monotonic()
                await _purge(resources)
            await end_abandoned(resources.database)
            await _look(resources)
            for stream, durable in durables:
                await _ask(resources, stream, durable)
        except TROUBLE as trouble:
            log.debug("nothing to observe", reason=str(trouble))
        await pause(over, SECONDS)


async def _look(resources: Resources) -> None:
    async with resources.database.connection() as connection:
        row = await connection.fetchrow(WAITING, resources.clock.now())
    assert row is not None
    metrics = resources.metrics
    metrics.speaker.unpublished.set(row["unpublished"])
    metrics.speaker.oldest.set(row["oldest"])
    metrics.backlog.held.set(row["held"])
    metrics.backlog.parked.set(row["parked"])
    metrics.timers.due.set(row["due"])


async def _purge(resources: Resources) -> None:
    """Answers kept for Idempotency-Key may hold personal text: away with those that nobody may ask for again."""
    async with resources.database.connection() as connection:
        await purge(connection)


async def _ask(resources: Resources, stream: str, durable: str) -> None:
    info = await resources.broker.wire.jetstream().consumer_info(stream, durable)
    metrics = resources.metrics.backlog
    metrics.pending.labels(durable).set(info.num_pending or 0)
    metrics.ack_pending.labels(durable).set(info.num_ack_pending or 0)
    metrics.redelivered.labels(durable).set(info.num_redelivered or 0)
