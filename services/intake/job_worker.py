"""Does bulk operations, a batch of tickets in one transaction each: what became of a ticket commits with what was done
to it, so that whoever goes on after a crash does nothing twice and leaves nothing out.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime

import structlog

from libs.chassis.database import DATABASE_TROUBLE
from libs.chassis.errors import Invalid
from libs.chassis.resources import Resources, Worker
from libs.chassis.settings import Settings
from libs.chassis.simulation import Work
from libs.chassis.storing import attempt
from libs.chassis.transaction import Transaction, Transactions
from services.intake.acceptance import Arrivals
from services.intake.desk import Desk, Words
from services.intake.domain.bulk import wanted
from services.intake.domain.decision import Decision, Refused
from services.intake.domain.fields import WrongField
from services.intake.domain.status import UnknownStatus
from services.intake.domain.ticket import Ticket
from services.intake.jobs import Became, Job, Jobs, Result
from services.intake.store import Store

log = structlog.get_logger(__name__)

BATCH = 100
POLL_SECONDS = 1.0
TROUBLE_SECONDS = 0.5


class JobWorker:
    """Works off bulk operations, oldest first. `asked`: told when a job comes, within this process."""

    def __init__(self, settings: Settings, batch: int = BATCH) -> None:
        self.asked = Arrivals()
        self._settings, self._batch = settings, batch

    def worker(self) -> Worker:
        """As the service runs it: on one replica at a time."""
        return Worker("jobs", self.run, leased=True, left=self.left)

    async def run(self, resources: Resources, over: asyncio.Event) -> None:
        """Woken by jobs of its own process, and every second for those of others."""
        while not over.is_set():
            told = self.asked.told
            try:
                worked = await self.work_off(resources.transactions)
            except DATABASE_TROUBLE as trouble:
                log.warning("jobs wait for the database", reason=str(trouble))
                await asyncio.sleep(TROUBLE_SECONDS)
                continue
            if not worked:
                await self.asked.wait_unless(over, told, POLL_SECONDS)

    async def left(self, resources: Resources, now: datetime) -> Work:
        """Whether a job runs, for simulated time."""
        async with resources.database.connection() as connection:
            return Work(busy=await Jobs(connection).is_any_running())

    async def work_off(self, transactions: Transactions) -> bool:
        """One batch of the oldest job; False when there is none. A ticket that breaks its batch fails alone."""
        worked: list[int] = []

        async def together() -> None:
            worked.append(await self._step(transactions, self._batch))

        fault = await attempt(together)
        if fault is None:
            return worked[0] > 0
        log.warning("a batch of a job is done ticket by ticket", reason=fault)
        return await self._one_by_one(transactions)

    async def _one_by_one(self, transactions: Transactions) -> bool:
        for _ in range(self._batch):
            worked: list[int] = []

            async def alone(worked: list[int] = worked) -> None:
                worked.append(await self._step(transactions, 1))

            fault = await attempt(alone)
            if fault is not None:
                await self._step(transactions, 1, fault)
            elif not worked[0]:
                return False
        return True

    async def _step(self, transactions: Transactions, most: int, fault: str | None = None) -> int:
        """How many tickets were settled; with a fault they failed for that reason, and nothing is done to them."""
        async with transactions.begin() as transaction:
            jobs = Jobs(transaction.connection)
            job = await jobs.next()
            if job is None:
                return 0
            ids = await jobs.waiting(job.id, most)
            if fault is None:
                results = await self._do(job, ids, transaction)
            else:
                results = {id: Result(Became.FAILED, fault) for id in ids}
            await jobs.settle(job.id, results, transaction.now)
        return len(ids)

    async def _do(self, job: Job, ids: list[str], transaction: Transaction) -> dict[str, Result]:
        store = Store(transaction)
        desk = Desk(store, self._settings, job.by)
        try:
            await desk.check_roster(job.action.change.get("assignee"), job.action.change.get("queue"))
        except Invalid as gone:
            return {id: Result(Became.FAILED, str(gone)) for id in ids}
        tickets = await store.tickets(ids)
        decisions: list[Decision] = []
        results = {id: _decided(desk, job, id, tickets, decisions) for id in ids}
        await store.save(decisions)
        return results


def _decided(desk: Desk, job: Job, id: str, tickets: Mapping[str, Ticket], decisions: list[Decision]) -> Result:
    """Decide on one ticket; a refusal is its own and stops nobody else."""
    ticket = tickets.get(id)
    if ticket is None:
        return Result(Became.FAILED, f"there is no ticket {id}")
    remark = None if job.action.note is None else Words(job.action.note)
    try:
        decision = desk.decide(ticket, wanted(job.action, ticket), remark)
    except (Refused, WrongField, UnknownStatus) as refused:
        return Result(Became.FAILED, str(refused))
    if not decision.say:
        return Result(Became.UNCHANGED)
    decisions.append(decision)
    return Result(Became.DONE)
