"""Keeps `held` short: applies what has come into its turn, asks the speaker where a gap does not close by itself."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from libs.chassis.database import DATABASE_TROUBLE, Database
from libs.chassis.hearing import Heard, Hearing, Key
from libs.chassis.pause import pause
from libs.chassis.storing import Storing
from libs.chassis.wire import Frame
from libs.contracts.partition import shard as shard_of

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 5
"""A gap older than this is repaired at its speaker (decisions 3)."""

IN_TURN = """
SELECT h.speaker, h.subject, h.n, h.nats_subject, h.headers, h.payload
FROM held h JOIN heard d ON d.speaker = h.speaker AND d.subject = h.subject AND h.n = d.n + 1
ORDER BY h.speaker, h.subject LIMIT 500
"""
HEARD_BY_NOW = "DELETE FROM held h USING heard d WHERE d.speaker = h.speaker AND d.subject = h.subject AND h.n <= d.n"
OLD = """
SELECT speaker, subject FROM held GROUP BY speaker, subject
HAVING min(held_at) < clock_timestamp() - make_interval(secs => $1)
"""

RepairSubjects = Callable[[Sequence[Key]], Awaitable[None]]


class Gaps:
    """The gap keeper of one shard."""

    def __init__(
        self,
        database: Database,
        hearing: Hearing,
        storing: Storing[Heard],
        repair: RepairSubjects,
        shard: int,
        shards: int,
    ) -> None:
        self._database, self._hearing, self._storing = database, hearing, storing
        self._repair, self._shard, self._shards = repair, shard, shards

    async def run(self, over: asyncio.Event) -> None:
        """Look once a second, and at once when something was held."""
        while not over.is_set():
            try:
                await self.close()
            except DATABASE_TROUBLE as trouble:
                log.warning("gaps wait for the database", reason=str(trouble))
            self._hearing.held.clear()
            await pause(self._hearing.held, LOOK_SECONDS)

    async def close(self) -> None:
        """Apply what is in its turn, one transaction each; then repair gaps that have been open too long."""
        while frames := await self._in_turn():
            for frame in frames:
                await self._storing.store([frame])
            async with self._database.connection() as connection:
                await connection.execute(HEARD_BY_NOW)
        async with self._database.connection() as connection:
            await connection.execute(HEARD_BY_NOW)
            rows = await connection.fetch(OLD, PATIENCE_SECONDS)
        stuck = [(row["speaker"], row["subject"]) for row in rows if self._mine(row["subject"])]
        if stuck:
            await self._repair(stuck)

    async def _in_turn(self) -> list[Frame]:
        async with self._database.connection() as connection:
            rows = await connection.fetch(IN_TURN)
        return [
            Frame(row["nats_subject"].encode(), b"", row["headers"], row["payload"])
            for row in rows
            if self._mine(row["subject"])
        ]

    def _mine(self, subject: str) -> bool:
        return shard_of(subject, self._shards) == self._shard
