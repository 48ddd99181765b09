"""Works off the mails that were taken in, batch by batch; a mail that cannot be handled stops nobody else."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from time import monotonic

import structlog
from prometheus_client import Counter as CounterMetric
from prometheus_client import Gauge

from libs.chassis.database import DATABASE_TROUBLE
from libs.chassis.pause import pause
from libs.chassis.resources import Resources
from libs.chassis.simulation import Work
from libs.chassis.storing import attempt
from libs.chassis.transaction import Transactions
from services.intake.acceptance import Arrivals
from services.intake.inbound.outcome import Because, Disposition, Outcome
from services.intake.inbound.receipts import Receipts
from services.intake.inbound.settling import settle

log = structlog.get_logger(__name__)

BATCH = 200
POLL_SECONDS = 1.0
LINGER_SECONDS = 0.25
"""While mails flow, batches begin so far apart: a few at a time cost everybody who hears of them twice as much."""
TROUBLE_SECONDS = 0.5


class MailWorker:
    """Settles mails. Several may run at once, in one process or many: each mail is settled by one of them."""

    def __init__(self, came: Arrivals, settled: Arrivals, keys: Sequence[bytes], most: int = BATCH) -> None:
        self._came, self._settled, self._keys, self._most = came, settled, keys, most
        self._metrics: MailMetrics | None = None

    async def run(self, resources: Resources, over: asyncio.Event) -> None:
        """The worker: woken by mails of its own process, and every second for those of others."""
        metrics = self._metrics = self._metrics or MailMetrics(resources)
        while not over.is_set():
            told, began = self._came.told, monotonic()
            try:
                outcomes = await self.work_off(resources.transactions)
                await metrics.note(outcomes)
            except DATABASE_TROUBLE as trouble:
                log.warning("mail waits for the database", reason=str(trouble))
                await asyncio.sleep(TROUBLE_SECONDS)
                continue
            if not outcomes:
                await self._came.wait_unless(over, told, POLL_SECONDS)
            elif len(outcomes) < self._most // 2 and self._came.told != told:
                await pause(over, began + LINGER_SECONDS - monotonic())

    async def work_off(self, transactions: Transactions) -> dict[int, Outcome]:
        """Settle one batch of what waits; what became of each mail, nothing when none waits."""
        outcomes: dict[int, Outcome] = {}

        async def together() -> None:
            outcomes.update(await self._batch(transactions, self._most))

        fault = await attempt(together)
        if fault is not None:
            log.warning("a batch of mails is handled one by one", reason=fault)
            outcomes = await self._one_by_one(transactions)
        if outcomes:
            self._settled.tell()
        return outcomes

    async def left(self, resources: Resources, now: datetime) -> Work:
        """Whether mails wait, for simulated time."""
        async with resources.database.connection() as connection:
            return Work(busy=await Receipts(connection).is_any_waiting())

    async def _batch(self, transactions: Transactions, most: int) -> dict[int, Outcome]:
        async with transactions.begin() as transaction:
            received = await Receipts(transaction.connection).waiting(most)
            return await settle(received, transaction, self._keys) if received else {}

    async def _one_by_one(self, transactions: Transactions) -> dict[int, Outcome]:
        """As many mails as a batch has, each in a transaction of its own; those that fail alone are suspended."""
        outcomes: dict[int, Outcome] = {}
        while len(outcomes) < self._most and (settled := await self._alone(transactions)):
            outcomes |= settled
        return outcomes

    async def _alone(self, transactions: Transactions) -> dict[int, Outcome]:
        outcomes: dict[int, Outcome] = {}

        async def alone() -> None:
            outcomes.update(await self._batch(transactions, 1))

        fault = await attempt(alone)
        return outcomes if fault is None else await self._suspend_first(transactions, fault)

    async def _suspend_first(self, transactions: Transactions, fault: str) -> dict[int, Outcome]:
        """Set aside the mail that failed: the first that waits and nobody else has."""
        async with transactions.begin() as transaction:
            receipts = Receipts(transaction.connection)
            received = await receipts.waiting(1)
            for each in received:
                await receipts.suspend(each.id, f"could not be handled: {fault}", transaction.now)
                log.error("mail suspended", receipt=each.id, reason=fault)
        return {each.id: Outcome(Disposition.SUSPENDED, fault, because=Because.FAULT) for each in received}


class MailMetrics:
    """What operators watch of mail (behaviour E-7)."""

    def __init__(self, resources: Resources) -> None:
        registry = resources.metrics.registry
        self._resources = resources
        self._settled = CounterMetric(
            "signalbox_mails_settled_total", "Mails by what became of them", ["disposition"], registry=registry
        )
        self._suspended = CounterMetric(
            "signalbox_mails_suspended_total", "Mails that wait for a person, by why", ["because"], registry=registry
        )
        self._oldest = Gauge(
            "signalbox_intake_oldest_unprocessed_seconds",
            "Age of the oldest mail not settled, else 0",
            registry=registry,
        )

    async def note(self, outcomes: dict[int, Outcome]) -> None:
        """Count a batch; look how far behind we are."""
        for disposition, count in Counter(outcome.disposition.value for outcome in outcomes.values()).items():
            self._settled.labels(disposition).inc(count)
        for because, count in Counter(each.because for each in outcomes.values() if each.because is not None).items():
            self._suspended.labels(because.value).inc(count)
        async with self._resources.database.connection() as connection:
            oldest = await Receipts(connection).oldest_waiting()
        now = self._resources.clock.now()
        self._oldest.set(0 if oldest is None else max(0.0, (now - oldest).total_seconds()))
