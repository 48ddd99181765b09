"""How a process follows simulated time: at each tick it does what is due and says what is left (decisions 14)."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from libs.chassis.clock import SimulatedClock
from libs.chassis.resources import Resources, Worker
from libs.chassis.simulation import Answer, Tick, Work
from libs.chassis.timers import Timers

LEFT = """
SELECT (SELECT coalesce(sum(facts), 0) FROM outbox)::bigint AS unpublished, (SELECT count(*) FROM held) AS held
"""


class Ticking:
    """Answers the driver. `began` is set by the first tick: until then there is no time."""

    def __init__(self, clock: SimulatedClock, timers: Timers, workers: Sequence[Worker], resources: Resources) -> None:
        self.began = asyncio.Event()
        self._clock, self._timers, self._workers, self._resources = clock, timers, workers, resources

    async def answer(self, tick: Tick) -> Answer:
        """Set the time, do what is due, say what is left."""
        self._clock.advance_to(tick.t)
        self.began.set()
        configured = self._resources.configuration.ready
        if configured:
            while await self._timers.fire_due():
                continue
        work = await self._left(tick.t)
        async with self._resources.database.connection() as connection:
            row = await connection.fetchrow(LEFT)
        assert row is not None
        return Answer(
            service=self._resources.name,
            unpublished=row["unpublished"],
            held=row["held"],
            busy=work.busy or not configured,
            next_due=work.next_due,
        )

    async def _left(self, now: datetime) -> Work:
        work = Work(next_due=await self._timers.next_due())
        for worker in self._workers:
            if worker.left is not None:
                work |= await worker.left(self._resources, now)
        return work
