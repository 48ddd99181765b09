"""Stores what arrived: a batch in one transaction; what fails, message by message; what fails alone, parked.

Troubles of the database are waited out for ever. A message that fails five times on its own is parked with its
reason, and its neighbours go on (decisions 6).
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Generic, Protocol, TypeVar

import structlog

from libs.chassis.database import DATABASE_TROUBLE
from libs.chassis.metrics import Metrics
from libs.chassis.parking import Parked, park
from libs.chassis.transaction import Transaction, Transactions
from libs.chassis.wire import Frame

log = structlog.get_logger(__name__)

TRIES = 5

Message = TypeVar("Message")


class Reception(Protocol[Message]):
    """What is done with the messages of one door."""

    @property
    def door(self) -> str: ...

    def read(self, frame: Frame) -> Message:
        """Parse; ValueError for what can never be parsed."""

    async def receive(self, messages: Sequence[Message], transaction: Transaction) -> Counter[tuple[str, str]]:
        """Handle messages inside the transaction; counts of what became of them by (speaker, outcome)."""

    async def park(self, message: Message, reason: str, transaction: Transaction) -> None:
        """Put a message aside inside the transaction."""


async def attempt(work: Callable[[], Awaitable[object]]) -> str | None:
    """None when the work is done, else the fault in words. Troubles of the database are raised: they are no fault."""
    try:
        await work()
    except DATABASE_TROUBLE:
        raise
    except Exception as fault:  # the one broad except: whatever a message sets off is found singly
        log.debug("attempt failed", exc_info=True)
        return f"{type(fault).__name__}: {fault}"
    return None


class Storing(Generic[Message]):
    """Stores frames of one door for certain: when `store` returns they may be acked."""

    def __init__(self, reception: Reception[Message], transactions: Transactions, metrics: Metrics) -> None:
        self.reception, self._transactions, self._metrics = reception, transactions, metrics

    async def store(self, frames: list[Frame]) -> None:
        """Store a batch, whatever it takes; while the database is away, for as long as it is away."""
        delay = 0.05
        while True:
            try:
                await self._store(frames)
                return
            except DATABASE_TROUBLE as trouble:
                self._metrics.consumer.batch_retries.labels("database").inc()
                log.warning("batch waits for the database", door=self.reception.door, reason=str(trouble))
                await asyncio.sleep(delay)
                delay = min(delay * 2, 2.0)

    async def _store(self, frames: list[Frame]) -> None:
        fault = await attempt(lambda: self._store_together(frames))
        if fault is not None:
            self._metrics.consumer.batch_retries.labels("message by message").inc()
            log.warning("batch is run again message by message", door=self.reception.door, fault=fault)
            for frame in frames:
                await self._store_alone(frame)

    async def _store_together(self, frames: list[Frame]) -> None:
        """One transaction for the batch; what cannot be parsed at all is parked in it."""
        started = perf_counter()
        messages: list[Message] = []
        unreadable: list[Parked] = []
        for frame in frames:
            try:
                messages.append(self.reception.read(frame))
            except ValueError as fault:
                unreadable.append(_unreadable(self.reception.door, frame, fault))
        outcomes: Counter[tuple[str, str]] = Counter()
        async with self._transactions.begin() as transaction:
            if unreadable:
                await park(transaction.connection, unreadable)
            if messages:
                outcomes = await self.reception.receive(messages, transaction)
        self._count(len(frames), perf_counter() - started, outcomes)

    async def _store_alone(self, frame: Frame) -> None:
        fault = ""
        for number in range(1, TRIES + 1):
            failed = await attempt(lambda: self._store_together([frame]))
            if failed is None:
                return
            fault = failed
            await asyncio.sleep(0.01 * number)
        message = self.reception.read(frame)
        async with self._transactions.begin() as transaction:
            await self.reception.park(message, fault, transaction)
        log.error("message parked", door=self.reception.door, subject=frame.subject.decode(), reason=fault)

    def _count(self, size: int, seconds: float, outcomes: Counter[tuple[str, str]]) -> None:
        metrics = self._metrics.consumer
        metrics.batch_size.observe(size)
        metrics.batch_duration.observe(seconds)
        for (speaker, outcome), count in outcomes.items():
            metrics.events.labels(speaker, outcome).inc(count)


def _unreadable(door: str, frame: Frame, fault: ValueError) -> Parked:
    subject = frame.subject.decode(errors="replace")
    reason = f"{type(fault).__name__}: {fault}"
    return Parked(door, "", subject, None, subject, reason, frame.headers, frame.payload)
