"""Erases: people who are to be forgotten, contents that are too old, blobs that nothing refers to. One replica does."""

import asyncio
from datetime import datetime, timedelta

import structlog

from libs.chassis.database import DATABASE_TROUBLE
from libs.chassis.resources import Resources, Worker
from libs.chassis.simulation import Work
from libs.chassis.transaction import Transactions
from services.intake.acceptance import Arrivals
from services.intake.erasing import is_any_loose, sweep
from services.intake.erasures import Erasures, is_any_asked
from services.intake.privacy_file import Retention
from services.intake.retention import Retaining, next_due
from services.intake.store import Store

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
TROUBLE_SECONDS = 1.0
LOOK_AGAIN = timedelta(hours=1)
"""How long nothing can become old enough unnoticed: a legal hold may be lifted meanwhile."""


class PrivacyWorker:
    """`asked`: told when somebody is to be erased, within this process."""

    def __init__(self) -> None:
        self.asked = Arrivals()
        self._look_at: datetime | None = None
        self._rules = Retention()

    def worker(self) -> Worker:
        """As the service runs it: on one replica at a time."""
        return Worker("privacy", self.run, leased=True, left=self.left)

    async def run(self, resources: Resources, over: asyncio.Event) -> None:
        """Woken by what is asked in its own process, and every second for the rest."""
        self._look_at = None
        while not over.is_set():
            told = self.asked.told
            try:
                if await self.work_off(resources.transactions):
                    continue
            except DATABASE_TROUBLE as trouble:
                log.info("erasing waits for the database", reason=str(trouble))
                await asyncio.sleep(TROUBLE_SECONDS)
                continue
            await self.asked.wait_unless(over, told, POLL_SECONDS)

    async def work_off(self, transactions: Transactions) -> bool:
        """One step of what there is to do; False when there is nothing."""
        async with transactions.begin() as transaction:
            store = Store(transaction)
            if await Erasures(store).step():
                return True
            if await self._is_time(store) and await Retaining(store).step():
                return True
            if not await is_any_loose(transaction.connection):
                await self._rest(store)
                return False
        async with transactions.begin() as transaction:
            await sweep(transaction.connection)
        return True

    async def left(self, resources: Resources, now: datetime) -> Work:
        """What there is to erase at this instant, and when there is more, for simulated time."""
        async with resources.database.connection() as connection:
            asked = await is_any_asked(connection) or await is_any_loose(connection)
            due = await next_due(connection, resources.configuration.current.parsed.retention)
        return Work(busy=asked or (due is not None and due <= now), next_due=due)

    async def _is_time(self, store: Store) -> bool:
        is_new = store.configuration.retention != self._rules
        return is_new or self._look_at is None or store.transaction.now >= self._look_at

    async def _rest(self, store: Store) -> None:
        """Nothing is old enough before the next instant that anything is; a hold may be lifted within the hour."""
        now = store.transaction.now
        if await self._is_time(store):
            due = await next_due(store.transaction.connection, store.configuration.retention)
            self._look_at = min(due or now + LOOK_AGAIN, now + LOOK_AGAIN)
            self._rules = store.configuration.retention
