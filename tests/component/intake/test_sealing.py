"""The audit chain on a real database: sealed after the commit, checked over HTTP, whoever writes meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from libs.chassis.clock import real_now
from libs.chassis.process import Process
from libs.chassis.tokens import Role
from services.intake.domain.changing import change
from services.intake.domain.decision import By
from services.intake.domain.opening import Opening, open_ticket
from services.intake.sealing import seal
from services.intake.store import Store
from signalbox.journal import Check, verified
from tests.component.intake.conftest import Intake
from tests.component.intake.desk_process import desk_process
from tests.support.servers import Database
from tests.support.stack import Stack

MIRA = By.agent_named("mira")


@pytest.fixture(scope="module")
async def process(stack: Stack, intake: Intake) -> AsyncIterator[Process]:
    async with desk_process(stack, intake, {}) as process:
        yield process


async def check(process: Process, ticket: str | None = None) -> Check:
    """As `signalbox tickets verify` does it."""
    token = process.resources.tokens.issue("admin", Role.ADMIN, real_now(), lifetime=timedelta(hours=1))
    headers = {"Authorization": f"Bearer {token}"}

    def ask() -> Check:
        with httpx.Client(base_url=process.url, headers=headers) as client:
            return verified(client, ticket)

    return await asyncio.to_thread(ask)


async def opened(intake: Intake, count: int = 1) -> list[str]:
    async with intake.transactions.begin() as transaction:
        store = Store(transaction)
        openings = [
            Opening(id=store.identities.new(), reference=reference, channel="phone", subject="Lamp")
            for reference in await store.references(count)
        ]
        await store.save([open_ticket(each, store.statuses, transaction.now, MIRA) for each in openings])
    return [each.id for each in openings]


async def changed(intake: Intake, ticket: str, **wanted: Any) -> None:
    async with intake.transactions.begin() as transaction:
        store = Store(transaction)
        before = (await store.tickets([ticket]))[ticket]
        await store.save([change(before, wanted, store.statuses, transaction.now, MIRA)])


async def seal_all(intake: Intake, most: int = 2000) -> None:
    while await seal(intake.pool, most):
        continue


async def test_J2_what_was_committed_is_sealed_and_found_sound(intake: Intake, process: Process) -> None:
    tickets = await opened(intake, 5)
    for ticket in tickets:
        await changed(intake, ticket, priority="high")
    await seal_all(intake, 3)
    for ticket in tickets[:2]:
        await changed(intake, ticket, priority="low")
    await seal_all(intake)
    found = await check(process)
    assert found.faults == []
    assert (found.unsealed, found.sealed) == (0, found.events)
    assert found.blocks > 2
    one = await check(process, tickets[0])
    assert (one.tickets, one.events, one.sealed) == (1, 3, 3)


TAMPERING = {
    "changed": "UPDATE events SET actor = 'agent:tom' WHERE subject = $1 AND n = 2",
    "content": """UPDATE events SET data = '{"changes":{}}' WHERE subject = $1 AND n = 2""",
    "back-dated": "UPDATE events SET occurred_at = occurred_at - interval '1 second' WHERE subject = $1 AND n = 2",
    "last removed": "DELETE FROM events WHERE subject = $1 AND n = 3",
    "one removed": "DELETE FROM events WHERE subject = $1 AND n = 2",
    "all removed": "DELETE FROM events WHERE subject = $1",
    "moved": "UPDATE events SET n = CASE n WHEN 2 THEN 30 WHEN 3 THEN 2 ELSE n END WHERE subject = $1",
    "with its seals": "WITH gone AS (DELETE FROM seals WHERE subject = $1) DELETE FROM events WHERE subject = $1",
    "slipped in": """
        INSERT INTO events (id, xid, subject, n, type, occurred_at, config_version, data)
        SELECT 0, '1', 'forged', 1, type, occurred_at, config_version, data FROM events WHERE subject = $1 AND n = 1""",
}


@pytest.mark.parametrize("way", TAMPERING)
async def test_J2_whoever_changes_the_journal_is_found_out(
    intake: Intake, process: Process, database: Database, way: str
) -> None:
    (ticket,) = await opened(intake)
    for priority in ("low", "high"):
        await changed(intake, ticket, priority=priority)
    await seal_all(intake)
    assert (await check(process)).faults == []
    administrator = await asyncpg.connect(database.url, server_settings={"search_path": "intake"})
    try:
        kept = [
            await administrator.fetch(f"SELECT * FROM {table} WHERE subject = $1", ticket)
            for table in ("events", "seals")
        ]
        await administrator.execute(TAMPERING[way], ticket)
        faults = (await check(process)).faults
        assert faults, way
        assert any(ticket in fault or "forged" in fault or "block" in fault for fault in faults)
        await administrator.execute("DELETE FROM events WHERE subject = ANY($1::text[])", [ticket, "forged"])
        await administrator.execute("DELETE FROM seals WHERE subject = $1", ticket)
        for table, rows in zip(("events", "seals"), kept, strict=True):
            await administrator.copy_records_to_table(table, records=[tuple(row) for row in rows])
    finally:
        await administrator.close()
    assert (await check(process)).faults == []


async def test_J2_the_service_itself_may_not_change_what_was_said_or_sealed(intake: Intake) -> None:
    for table in ("events", "seals", "seal_blocks"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {'id' if table != 'seals' else 'n'} = 1"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await intake.fetch(statement)


async def test_J2_the_chain_survives_writers_and_sealers_at_once(intake: Intake, process: Process) -> None:
    tickets = await opened(intake, 6)

    async def write(ticket: str) -> None:
        for turn in range(12):
            await changed(intake, ticket, priority="low" if turn % 2 else "high")

    async def keep_sealing(done: asyncio.Event) -> None:
        while not done.is_set():
            await seal(intake.pool, 4)

    done = asyncio.Event()
    sealers = [asyncio.create_task(keep_sealing(done)) for _ in range(3)]
    await asyncio.gather(*(write(ticket) for ticket in tickets))
    done.set()
    await asyncio.gather(*sealers)
    await seal_all(intake)
    found = await check(process)
    assert (found.faults, found.unsealed) == ([], 0)
    assert (await check(process, tickets[0])).sealed == 13


async def test_J2_numbers_that_stand_in_another_order_in_the_log_are_sealed_in_theirs(
    intake: Intake, process: Process
) -> None:
    (ticket,) = await opened(intake)
    older, younger = await intake.pool.pool.acquire(), await intake.pool.pool.acquire()
    add = """
    INSERT INTO events (subject, n, type, occurred_at, config_version, data)
    VALUES ($1, $2, 'signalbox.ticket.changed.v1', clock_timestamp(), 1, '{}')
    """
    try:
        first = older.transaction()
        await first.start()
        # the older transaction has its place in the log, and comes to this ticket last
        await older.execute(add, f"{ticket}-other", 1)
        async with younger.transaction():
            await younger.execute(add, ticket, 2)
        await seal_all(intake)
        assert (await check(process, ticket)).sealed == 2
        await older.execute(add, ticket, 3)
        await first.commit()
    finally:
        await intake.pool.pool.release(older)
        await intake.pool.pool.release(younger)
    await seal_all(intake, 1)
    found = await check(process)
    assert (found.faults, found.unsealed) == ([], 0)
    assert (await check(process, ticket)).sealed == 3


async def test_J4_erasing_a_person_breaks_no_chain(intake: Intake, process: Process) -> None:
    token = process.resources.tokens.issue("mira", Role.AGENT, real_now(), agent="mira", lifetime=timedelta(hours=1))
    async with httpx.AsyncClient(base_url=process.url, headers={"Authorization": f"Bearer {token}"}) as mira:
        body = {"subject": "Ada's lamp", "text": "Ada speaking", "customer": {"name": "Ada", "email": "ada@e.org"}}
        ticket = (await mira.post("/v1/tickets", json=body)).json()["id"]
        await mira.post(f"/v1/tickets/{ticket}/notes", json={"text": "Ada is upset"})
    await seal_all(intake)
    stored = await intake.fetch(
        "SELECT data::text || coalesce(ticket::text, '') AS t FROM events WHERE subject = $1", ticket
    )
    assert stored
    assert not any("Ada" in row["t"] or "ada@" in row["t"] for row in stored)
    for statement in (
        "UPDATE tickets SET subject = '', customer_id = NULL WHERE id = $1",
        "DELETE FROM messages WHERE ticket_id = $1",
    ):
        await intake.fetch(statement, ticket)
    await seal_all(intake)
    assert (await check(process, ticket)).faults == []


async def test_J2_the_service_seals_by_itself_in_seconds(intake: Intake, process: Process) -> None:
    (ticket,) = await opened(intake)
    async with asyncio.timeout(20):
        while (await check(process, ticket)).sealed == 0:
            await asyncio.sleep(0.1)
