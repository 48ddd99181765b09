"""Seals events after their commit: a worker beside the hot path, a batch in one transaction (behaviour J-2).

Events are found in the order of the log, and sealed in the order of their numbers: where those differ, because a later
number was committed by an older transaction, the rest waits for the event between.
"""

import asyncio
from collections.abc import Mapping

import structlog

from libs.chassis.clock import real_now
from libs.chassis.database import DATABASE_TROUBLE, Database
from libs.chassis.pause import pause
from libs.chassis.resources import Resources, Worker
from services.intake.domain.chain import GENESIS, Link, Seal, block_hash, chained, consecutive
from services.intake.seals import Block, Seals

log = structlog.get_logger(__name__)

EVERY_SECONDS = 5.0
"""An event is sealed at most so long after its commit, as long as the worker keeps up."""
BATCH = 500


async def run(resources: Resources, over: asyncio.Event) -> None:
    """Every 5 s all that was committed since, a batch after another."""
    while not over.is_set():
        try:
            while await seal(resources.database) and not over.is_set():
                continue
        except DATABASE_TROUBLE as trouble:
            log.warning("sealing waits for the database", reason=str(trouble))
        await pause(over, EVERY_SECONDS)


async def seal(database: Database, most: int = BATCH) -> int:
    """Seal the next events of the log; how many events were looked at, 0 when all are sealed."""
    async with database.connection() as connection, connection.transaction():
        seals = Seals(connection)
        if not await seals.alone():
            return 0
        last = await seals.last_block()
        subjects, end = await seals.committed(last.end, most)
        if end is None:
            return 0
        made = await _made(seals, sorted(subjects))
        hash = block_hash(last.hash, str(end), made)
        # the journal is kept in real time, also where domain time is simulated
        await seals.add(Block(last.id + 1, end, hash, len(made), real_now()), made)
        return len(subjects)


async def _made(seals: Seals, subjects: list[str]) -> list[Seal]:
    last = await seals.last_seals(subjects)
    links = await seals.links({subject: last[subject].n if subject in last else 0 for subject in subjects})
    return [seal for subject in subjects if (seal := _sealed(subject, last.get(subject), links)) is not None]


def _sealed(subject: str, last: Seal | None, links: Mapping[str, list[Link]]) -> Seal | None:
    n, hash = (0, GENESIS) if last is None else (last.n, last.hash)
    following = consecutive(n, links.get(subject, []))
    if not following:
        return None
    return Seal(subject, following[-1].n, chained(hash, (link.digest for link in following)))


SEALER = Worker("seals", run, leased=True)
