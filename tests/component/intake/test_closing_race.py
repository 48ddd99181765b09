"""Closing by itself against customers who write at the last moment, on real servers and the real clock (K-1, K-2)."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import yaml

from libs.chassis.clock import real_now
from libs.chassis.process import Process
from libs.contracts.conversation import ConversationMessageAdded, Role, TicketRequested
from libs.contracts.publisher import Publisher
from services.intake.domain.changing import change
from services.intake.domain.decision import By
from services.intake.store import GRACE, Store
from tests.component.intake.conftest import CONFIG, Intake
from tests.component.intake.desk_process import desk_process
from tests.support.stack import Stack, until

TICKETS, QUIET = 60, 10
OPEN_FOR = timedelta(seconds=2)
AROUND = 0.25
"""Customers write so many seconds before or after the instant of closing, or the one when closing is looked at."""


@pytest.fixture(scope="module")
async def process(stack: Stack, intake: Intake) -> AsyncIterator[Process]:
    document = yaml.safe_load((CONFIG / "statuses.yaml").read_text())
    for status in document["statuses"]:
        if status["key"] == "resolved":
            status["auto_close_after_hours"] = OPEN_FOR.total_seconds() / 3600
    async with desk_process(stack, intake, {"statuses.yaml": document}) as process:
        yield process


def says(name: str, seq: int) -> ConversationMessageAdded:
    return ConversationMessageAdded(conversation_id=name, seq=seq, role=Role.CUSTOMER, text=f"{name} writes {seq}")


async def resolve_all(process: Process) -> dict[str, datetime]:
    """Resolve every ticket there is; when each closes."""
    async with process.transactions.begin() as transaction:
        store = Store(transaction)
        rows = await transaction.connection.fetch("SELECT id FROM tickets")
        tickets = await store.tickets([row["id"] for row in rows])
        by = By.agent_named("mira")
        decisions = [
            change(each, {"status": "resolved"}, store.statuses, transaction.now, by) for each in tickets.values()
        ]
        await store.save(decisions)
    return {
        each.ticket.origin.conversation_id or "": each.ticket.close_at
        for each in decisions
        if each.ticket.close_at is not None
    }


async def test_K1_K2_who_writes_until_the_instant_of_closing_wins_and_nobody_is_lost(
    process: Process, intake: Intake
) -> None:
    publisher = Publisher(process.resources.broker.wire, "shop")
    names = [f"race-{number}" for number in range(TICKETS)]
    for name in names:
        await publisher.publish_many([says(name, 1), TicketRequested(conversation_id=name, subject=name)])

    async def there() -> bool:
        rows = await intake.fetch("SELECT count(*) AS n FROM tickets")
        return bool(rows[0]["n"] == TICKETS)

    await until(there)
    closing = await resolve_all(process)
    chance = random.Random(7)

    async def write(name: str) -> None:
        edge = closing[name] + chance.choice((timedelta(), GRACE))
        moment = edge + timedelta(seconds=chance.uniform(-AROUND, AROUND))
        await asyncio.sleep((moment - real_now()).total_seconds())
        await publisher.publish_many([says(name, 2)])

    await asyncio.gather(*(write(name) for name in names[QUIET:]))
    await until(lambda: _settled(intake, names))
    stories = {name: await _story(intake, name) for name in names}
    for name in names[:QUIET]:
        (ticket,) = stories[name]["tickets"]
        assert (ticket["status"], ticket["updated_at"]) == ("closed", closing[name])
    in_time = 0
    for name in names[QUIET:]:
        (message,) = stories[name]["messages"]
        first, *follow_ups = stories[name]["tickets"]
        if message["at"] <= closing[name]:
            in_time += 1
            assert (first["status"], follow_ups) == ("open", []), name
        if follow_ups:
            assert (first["status"], len(follow_ups), follow_ups[0]["status"]) == ("closed", 1, "open")
        assert message["ticket_id"] == (follow_ups[0] if follow_ups else first)["id"]
    assert 0 < in_time < TICKETS - QUIET, "both sides of the instant are to be seen"


async def _settled(intake: Intake, names: list[str]) -> bool:
    rows = await intake.fetch(
        "SELECT (SELECT count(*) FROM messages WHERE seq = 2 AND ticket_id IS NOT NULL) AS written,"
        " (SELECT count(*) FROM tickets WHERE status = 'resolved') AS resolved"
    )
    return bool(rows[0]["written"] == len(names) - QUIET and rows[0]["resolved"] == 0)


async def _story(intake: Intake, name: str) -> dict[str, Any]:
    tickets = await intake.fetch(
        "SELECT id, status, updated_at FROM tickets WHERE conversation_id = $1 ORDER BY id", name
    )
    messages = await intake.fetch("SELECT ticket_id, at FROM messages WHERE conversation_id = $1 AND seq = 2", name)
    return {"tickets": tickets, "messages": messages}
