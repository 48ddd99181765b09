"""Reminders, closing, removal, ratings: on a real database and over HTTP (behaviour K-2, K-5, L-14, S-8)."""

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from libs.chassis.process import Process
from libs.chassis.timers import Due
from libs.contracts.conversation import ConversationRated, HandedOff
from libs.contracts.ticket import TicketRated, TicketReminderDue, TicketRestored
from services.intake.closing import TIMERS
from services.intake.domain.decision import By
from services.intake.domain.removing import remove
from services.intake.store import GRACE, Store
from tests.component.intake.conftest import Intake
from tests.component.intake.desk_process import client_of, desk_process
from tests.component.intake.talk import tell
from tests.component.intake.test_conversations import says, set_status
from tests.support.stack import Stack

NAMES = itertools.count(1)


@pytest.fixture
def chat(intake: Intake) -> str:
    intake.wait(seconds=1)
    intake.outgoing.clear()
    return f"life-{next(NAMES)}"


async def handed_off(intake: Intake, chat: str) -> str:
    await tell(intake, says(chat, 1, "customer", "hi"), HandedOff(conversation_id=chat))
    (opened,) = intake.said()
    return opened.subject


async def fire(intake: Intake) -> None:
    """What the poller does with everything that is due."""
    due = await intake.fetch("SELECT key, kind, due_at FROM timers WHERE due_at <= $1", intake.clock.now())
    for timer in due:
        async with intake.transactions.begin() as transaction:
            await TIMERS[timer["kind"]].lock([timer["key"]], transaction)
            await transaction.connection.execute(
                "DELETE FROM timers WHERE key = $1 AND kind = $2", timer["key"], timer["kind"]
            )
            await TIMERS[timer["kind"]].fire([Due(**timer)], transaction)


async def waits_for(intake: Intake, ticket: str) -> list[tuple[str, Any]]:
    rows = await intake.fetch("SELECT kind, due_at FROM timers WHERE key = $1", ticket)
    return [(row["kind"], row["due_at"] - intake.clock.now()) for row in rows]


async def test_K2_a_pending_ticket_is_reminded_of_and_resolved_by_its_timers(intake: Intake, chat: str) -> None:
    ticket = await handed_off(intake, chat)
    await set_status(intake, ticket, "pending")
    intake.said()
    assert await waits_for(intake, ticket) == [("waiting", timedelta(days=3))]
    intake.wait(days=3)
    await fire(intake)
    (reminded,) = intake.said()
    assert isinstance(reminded.data, TicketReminderDue)
    assert reminded.data.moves_at == intake.clock.now() + timedelta(days=4)
    assert await waits_for(intake, ticket) == [("waiting", timedelta(days=4))]
    intake.wait(days=4)
    await fire(intake)
    (changed,) = intake.said()
    assert (changed.ticket.status, changed.actor) == ("resolved", "system")
    assert await waits_for(intake, ticket) == [("auto_close", timedelta(hours=72) + GRACE)]


async def test_K2_an_answer_of_the_customer_ends_the_waiting(intake: Intake, chat: str) -> None:
    ticket = await handed_off(intake, chat)
    await set_status(intake, ticket, "pending")
    await tell(intake, says(chat, 2, "customer", "here I am"))
    assert await waits_for(intake, ticket) == []


async def test_K2_a_mail_that_came_in_time_and_is_not_read_yet_holds_closing_up_for_a_minute_at_most(
    intake: Intake, chat: str
) -> None:
    ticket = await handed_off(intake, chat)
    await set_status(intake, ticket, "resolved")
    intake.said()
    intake.wait(hours=72)
    async with intake.pool.connection() as connection:
        receipt = await connection.fetchval(
            "INSERT INTO inbound_mail (blob, size, door, recipients, received_at, disposition)"
            " VALUES ('b', 1, 'smtp', '{}', $1, 'received') RETURNING id",
            intake.clock.now(),
        )
    intake.wait(seconds=GRACE.total_seconds())
    await fire(intake)
    waiting = await waits_for(intake, ticket)
    async with intake.pool.connection() as connection:
        await connection.execute("DELETE FROM inbound_mail WHERE id = $1", receipt)
    assert waiting == [("auto_close", timedelta(seconds=1))]
    assert [each for each in intake.said() if each.subject == ticket] == []
    intake.wait(seconds=1)
    await fire(intake)
    (closed,) = [each for each in intake.said() if each.subject == ticket]
    assert closed.ticket.status == "closed"
    assert intake.clock.now() - closed.occurred_at == GRACE + timedelta(seconds=1)


async def test_L14_who_writes_again_brings_a_deleted_ticket_back(intake: Intake, chat: str) -> None:
    ticket = await handed_off(intake, chat)
    async with intake.transactions.begin() as transaction:
        store = Store(transaction)
        before = (await store.tickets([ticket]))[ticket]
        await store.save([remove(before, "deleted", transaction.now, By.agent_named("mira"))])
    intake.said()
    await tell(intake, says(chat, 2, "customer", "hello?"))
    restored, written = intake.said()
    assert isinstance(restored.data, TicketRestored)
    assert written.subject == ticket


async def test_K5_a_rated_conversation_is_a_rated_ticket_once(intake: Intake, chat: str) -> None:
    ticket = await handed_off(intake, chat)
    await tell(intake, says(chat, 2, "agent", "done", "mira"))
    intake.said()
    await tell(intake, ConversationRated(conversation_id=chat, score=4, comment="fine"))
    await tell(intake, ConversationRated(conversation_id=chat, score=4, comment="fine"))
    (rated,) = intake.said()
    assert rated.data == TicketRated(score=4, agents=("mira",))
    assert rated.subject == ticket


@pytest.fixture(scope="module")
async def process(stack: Stack, intake: Intake) -> AsyncIterator[Process]:
    async with desk_process(stack, intake, {}) as process:
        yield process


async def opened(mira: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    response = await mira.post("/v1/tickets", json={"text": "Buy now", "category": "removal", **fields})
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_L14_spam_leaves_every_list_takes_no_changes_and_comes_back(mira: httpx.AsyncClient) -> None:
    ticket = await opened(mira)
    url = f"/v1/tickets/{ticket['id']}"
    removed = await mira.post(f"{url}/remove", json={"reason": "spam"}, headers={"If-Match": '"1"'})
    assert (removed.status_code, removed.json()["removed"], removed.json()["spam"]) == (200, "spam", True)
    assert (await mira.get("/v1/tickets", params={"category": "removal"})).json()["items"] == []
    listed = (await mira.get("/v1/removed-tickets")).json()["items"]
    assert [each["id"] for each in listed] == [ticket["id"]]
    for path, body in (("notes", {"text": "x"}), ("replies", {"text": "x"}), ("macros/refund_and_wait", {})):
        assert (await mira.post(f"{url}/{path}", json=body)).status_code == 409
    assert (await mira.patch(url, json={"priority": "low"})).json()["removed"] == "spam"
    assert (await mira.post(f"{url}/remove", json={"reason": "bored"})).status_code == 422
    back = await mira.post(f"{url}/restore", json={})
    assert (back.json()["removed"], back.json()["status"], back.json()["version"]) == (None, "open", 3)
    facts = (await mira.get(f"{url}/timeline")).json()["items"]
    assert [each["type"].split(".")[2] for each in facts] == ["opened", "removed", "restored"]


async def test_K5_a_rating_is_taken_by_http_and_not_from_who_is_rated(
    mira: httpx.AsyncClient, stack: Stack, process: Process
) -> None:
    ticket = await opened(mira, assignee="mira")
    url = f"/v1/tickets/{ticket['id']}"
    assert (await mira.post(f"{url}/rating", json={"score": 5})).status_code == 409
    async with client_of(stack, process, "tom") as tom:
        assert (await tom.post(f"{url}/rating", json={"score": 6})).status_code == 422
        rated = await tom.post(f"{url}/rating", json={"score": 2, "comment": "slow"})
    assert rated.json()["rating"] == 2
    fact = (await mira.get(f"{url}/timeline")).json()["items"][1]
    assert (fact["data"]["score"], fact["data"]["agents"]) == (2, ["mira"])
    messages = (await mira.get(f"{url}/messages")).json()["items"]
    assert (messages[-1]["role"], messages[-1]["text"]) == ("note", "Rated 2 of 5: slow")
