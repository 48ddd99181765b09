"""A bulk operation whose worker dies, is told to stop, or meets a ticket that breaks it."""

import asyncio
import sys
from typing import Any

from services.intake.app import SETTINGS
from services.intake.domain.bulk import Action
from services.intake.domain.decision import By
from services.intake.domain.opening import Opening, open_ticket
from services.intake.job_worker import JobWorker
from services.intake.jobs import Jobs
from services.intake.store import Store
from tests.component.intake.conftest import Intake
from tests.support.stack import until

MIRA = By.agent_named("mira")


async def many(intake: Intake, count: int) -> list[str]:
    async with intake.transactions.begin() as transaction:
        store = Store(transaction)
        openings = [
            Opening(id=store.identities.new(), reference=reference, channel="phone", subject="Lamp")
            for reference in await store.references(count)
        ]
        await store.save([open_ticket(each, store.statuses, transaction.now, MIRA) for each in openings])
    return [each.id for each in openings]


async def job_about(intake: Intake, tickets: list[str], action: Action) -> str:
    async with intake.transactions.begin() as transaction:
        id = Store(transaction).identities.new()
        await Jobs(transaction.connection).add(id, action, tickets, "mira", MIRA, transaction.now)
    return id


async def facts_of(intake: Intake, job: str) -> list[dict[str, Any]]:
    return await intake.fetch(
        "SELECT subject, count(*) AS times FROM events WHERE cause = $1 GROUP BY subject", f"bulk:{job}"
    )


async def test_I4_killed_at_any_moment_it_goes_on_and_does_nothing_twice(intake: Intake) -> None:
    tickets = await many(intake, 400)
    job = await job_about(intake, tickets, Action({"priority": "high"}, add_tags=("bulk",)))
    kills = 0
    while True:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.component.intake.job_process", intake.pool.dsn, stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        assert await child.stdout.readline() == b"working\n"
        (before,) = await intake.fetch("SELECT done, state FROM jobs WHERE id = $1", job)
        if before["done"] >= 100:
            break

        async def advanced(than: int = before["done"]) -> bool:
            (now,) = await intake.fetch("SELECT done FROM jobs WHERE id = $1", job)
            return bool(now["done"] > than)

        await until(advanced)
        child.kill()
        await child.wait()
        kills += 1
    assert await child.stdout.read() == b"done\n"
    assert await child.wait() == 0
    assert kills > 0
    (row,) = await intake.fetch("SELECT state, total, done, failed FROM jobs WHERE id = $1", job)
    assert row == {"state": "done", "total": 400, "done": 400, "failed": 0}
    facts = await facts_of(intake, job)
    assert {each["subject"] for each in facts} == set(tickets)
    assert {each["times"] for each in facts} == {1}


async def test_I4_a_cancelled_job_stops_after_its_batch(intake: Intake) -> None:
    tickets = await many(intake, 20)
    job = await job_about(intake, tickets, Action({"priority": "low"}))
    worker = JobWorker(SETTINGS.model_construct(), batch=8)
    assert await worker.work_off(intake.transactions)
    async with intake.transactions.begin() as transaction:
        assert await Jobs(transaction.connection).cancel(job, None, transaction.now)
        assert not await Jobs(transaction.connection).cancel(job, None, transaction.now)
    assert not await worker.work_off(intake.transactions)
    assert len(await facts_of(intake, job)) == 8


async def test_I4_a_ticket_that_breaks_its_batch_fails_alone(intake: Intake) -> None:
    tickets = await many(intake, 6)
    async with intake.pool.connection() as connection:
        await connection.execute("UPDATE tickets SET status_category = 'broken' WHERE id = $1", tickets[2])
    job = await job_about(intake, tickets, Action({"priority": "low"}))
    worker = JobWorker(SETTINGS.model_construct(), batch=4)
    while await worker.work_off(intake.transactions):
        continue
    rows = await intake.fetch("SELECT ticket_id, reason FROM job_tickets WHERE job_id = $1 AND state = 'failed'", job)
    assert [row["ticket_id"] for row in rows] == [tickets[2]]
    assert "broken" in rows[0]["reason"]
    assert len(await facts_of(intake, job)) == 5
