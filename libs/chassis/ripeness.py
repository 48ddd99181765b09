"""When a timer need not wait any longer for what others may have said before its instant (decisions 13)."""

from collections.abc import Sequence
from datetime import datetime

import nats.errors

from libs.chassis.clock import Clock
from libs.chassis.database import Database
from libs.chassis.hearing import FACTS
from libs.chassis.timers import LATE, LATE_WITH_GAP, Due
from libs.chassis.watermark import Watermarks
from libs.chassis.wire import Wire
from libs.contracts.partition import shard as shard_of

HELD = "SELECT DISTINCT subject FROM held WHERE subject = ANY($1::text[])"


class Ripeness:
    """Compares the speaker's watermark with what the shards of this hearer have stored."""

    def __init__(self, database: Database, clock: Clock, speaker: str, durables: Sequence[str]) -> None:
        """speaker: whose facts could cancel a timer. durables: those that bring them to this hearer, by shard."""
        self._database, self._clock, self._speaker, self._durables = database, clock, speaker, durables
        self._marks = Watermarks()
        self._wire: Wire | None = None

    async def start(self, wire: Wire) -> None:
        """Listen to the speaker's watermark; until then a timer waits for as long as it may."""
        self._wire = wire
        await self._marks.start(wire, [self._speaker])

    async def ripe(self, due: Sequence[Due]) -> list[Due]:
        """Those of `due` that may fire now."""
        async with self._database.connection() as connection:
            gaps = {row["subject"] for row in await connection.fetch(HELD, [timer.key for timer in due])}
        now = self._clock.now()
        stored = await self._stored({shard_of(timer.key, len(self._durables)) for timer in due})
        return [timer for timer in due if self._is_ripe(timer, now, timer.key in gaps, stored)]

    def _is_ripe(self, timer: Due, now: datetime, gap: bool, stored: dict[int, float]) -> bool:
        if gap:
            return now >= timer.due_at + LATE_WITH_GAP
        if now >= timer.due_at + LATE:
            return True
        sequence = self._marks.sequence_after(self._speaker, timer.due_at)
        return sequence is not None and stored[shard_of(timer.key, len(self._durables))] >= sequence

    async def _stored(self, shards: set[int]) -> dict[int, float]:
        """Up to which stream number each shard has stored everything; infinity where nothing waits."""
        return {shard: await self._stored_by(self._durables[shard]) for shard in shards}

    async def _stored_by(self, durable: str) -> float:
        if self._wire is None:
            return 0
        try:
            info = await self._wire.jetstream().consumer_info(FACTS, durable, timeout=1)
        except (nats.errors.Error, TimeoutError):
            return 0
        if not info.num_pending and not info.num_ack_pending:
            return float("inf")
        return info.ack_floor.stream_seq if info.ack_floor is not None else 0
