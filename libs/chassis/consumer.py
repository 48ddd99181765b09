"""The consumer loop: fetch a batch, store it in one transaction, ack each message. All that can be lost hangs on it."""

import asyncio
from time import perf_counter
from typing import Any

import structlog

from libs.chassis.pull import Pull
from libs.chassis.storing import Storing

log = structlog.get_logger(__name__)

PATIENCE = 1.0
"""Seconds a fetch waits for a first message; also how long a stop may take to be noticed."""

LONGEST_LINGER = 0.04
"""Seconds; three hops of it keep an assignment well under a third of a second."""


class Consumer:
    """Runs one durable until its event says it is over. Everything it acks is stored."""

    def __init__(self, pull: Pull, storing: Storing[Any], *, size: int = 512, linger: float = 0.01) -> None:
        self.pull = pull
        self._storing, self._size, self._linger = storing, size, linger

    async def run(self, over: asyncio.Event) -> None:
        """Consume until it is over; what was fetched and not stored goes back to the broker."""
        await self.pull.start()
        try:
            while not over.is_set():
                started = perf_counter()
                handled = await self._turn()
                if 0 < handled < self._size // 4:
                    await self._let_gather(started)
        finally:
            await self.pull.stop()

    async def _turn(self) -> int:
        """One batch; how many messages it had."""
        try:
            frames = await self.pull.batch(PATIENCE)
            if frames:
                connection = self.pull.connection
                await self._storing.store(frames)
                await self.pull.acknowledge(frames, connection)
        except (ConnectionError, TimeoutError) as away:
            log.debug("broker is away", door=self._storing.reception.door, reason=str(away))
            await asyncio.sleep(0.2)
            return 0
        return len(frames)

    async def _let_gather(self, started: float) -> None:
        """After a small batch, let messages gather for twice as long as the batch took: what a batch costs by itself is
        paid a third as often, and a machine that is slow or busy gathers more. Large batches do not wait at all.
        """
        took = perf_counter() - started
        await asyncio.sleep(min(max(self._linger - took, 2 * took), LONGEST_LINGER))
