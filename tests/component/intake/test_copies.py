"""Who gets a copy of each answer after a merge, over HTTP on real servers (behaviour M-3)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic_core import from_json

from libs.chassis.process import Process
from libs.contracts.conversation import ConversationStarted, TicketRequested
from services.intake.desk import Desk, Words
from services.intake.domain.decision import By
from services.intake.erasing import Erasing
from services.intake.merges import Merges
from services.intake.store import Store
from tests.component.intake.conftest import Intake
from tests.component.intake.talk import tell
from tests.component.intake.test_merging import ADA, BOB, merged, opened, process
from tests.support.stack import until

__all__ = ["process"]

CY = {"name": "Cy", "email": "cy@example.com"}


@pytest.fixture
async def connection(process: Process) -> AsyncIterator[Any]:
    async with process.database.connection() as connection:
        yield connection


async def merge(client: httpx.AsyncClient, target: str, *sources: str, copied: bool = True) -> None:
    response = await merged(client, target, *sources, confirm_requesters=True, copy_requesters=copied)
    assert response.status_code == 200, response.text


async def leaves_for(client: httpx.AsyncClient, connection: Any, ticket: str) -> tuple[str, list[str]]:
    """Whom an answer goes to, and who gets a copy."""
    response = await client.post(f"/v1/tickets/{ticket}/replies", json={"text": "Try another bulb"})
    assert response.status_code == 201, response.text
    message, ticket = response.json()["message_id"], response.json()["ticket"]["id"]
    outbound = from_json(await connection.fetchval("SELECT outbound FROM messages WHERE id = $1", message) or "{}")
    copies = [copy["to"] for copy in outbound.get("copies", [])]
    items = (await client.get(f"/v1/tickets/{ticket}/messages")).json()["items"]
    assert [each["copied_to"] for each in items if each["id"] == message] == [copies]
    return outbound.get("to", ""), copies


async def test_M3_a_merged_requester_gets_a_copy_of_each_answer_until_it_is_separated(
    mira: httpx.AsyncClient, connection: Any
) -> None:
    target, source = await opened(mira), await opened(mira, customer=BOB)
    await merge(mira, target, source)
    assert await leaves_for(mira, connection, target) == (ADA["email"], [BOB["email"]])
    assert await leaves_for(mira, connection, source) == (ADA["email"], [BOB["email"]]), "it goes to the target"
    await mira.post(f"/v1/tickets/{source}/unmerge")
    assert await leaves_for(mira, connection, target) == (ADA["email"], [])
    assert await leaves_for(mira, connection, source) == (BOB["email"], [])
    await merge(mira, target, source)
    assert await leaves_for(mira, connection, target) == (ADA["email"], [BOB["email"]])


async def test_M3_nobody_gets_a_copy_unless_that_was_asked_for(mira: httpx.AsyncClient, connection: Any) -> None:
    target, source = await opened(mira), await opened(mira, customer=BOB)
    await merge(mira, target, source, copied=False)
    assert await leaves_for(mira, connection, target) == (ADA["email"], [])


async def test_M3_copies_follow_through_a_chain_and_end_with_who_leaves_its_middle(
    mira: httpx.AsyncClient, connection: Any
) -> None:
    root, middle = await opened(mira), await opened(mira, customer=BOB)
    leaf, other = await opened(mira, customer=CY), await opened(mira)
    await merge(mira, middle, leaf)
    await merge(mira, root, middle, other)
    assert await leaves_for(mira, connection, root) == (ADA["email"], [BOB["email"], CY["email"]])
    await mira.post(f"/v1/tickets/{leaf}/unmerge")
    assert await leaves_for(mira, connection, root) == (ADA["email"], [BOB["email"]])
    await mira.post(f"/v1/tickets/{middle}/unmerge")
    assert await leaves_for(mira, connection, root) == (ADA["email"], [])
    assert await leaves_for(mira, connection, middle) == (BOB["email"], [])


async def test_M3_who_wrote_by_mail_gets_the_answers_of_a_chat_it_was_merged_into(
    mira: httpx.AsyncClient, connection: Any, intake: Intake
) -> None:
    await tell(intake, ConversationStarted(conversation_id="cc"), TicketRequested(conversation_id="cc"))
    target = (await mira.get("/v1/conversations/chat/cc")).json()["ticket"]
    source = await opened(mira, customer=BOB)
    await merge(mira, target, source)
    assert await leaves_for(mira, connection, target) == ("", [BOB["email"]])


async def test_M3_D21_of_who_was_erased_no_copy_is_known_any_more(
    mira: httpx.AsyncClient, connection: Any, process: Process
) -> None:
    target, source = await opened(mira), await opened(mira, customer=BOB)
    also = await opened(mira, customer=CY)
    await merge(mira, target, source, also)
    await leaves_for(mira, connection, target)
    await mira.post(f"/v1/tickets/{source}/unmerge")
    async with process.resources.transactions.begin() as transaction:
        await Erasing(Store(transaction), By("agent:boss", person=True)).tickets([source])
    rows = await connection.fetch("SELECT outbound::text FROM messages WHERE ticket_id = $1 AND kind = 'agent'", target)
    assert BOB["email"] not in rows[0]["outbound"]
    assert CY["email"] in rows[0]["outbound"]
    assert await connection.fetch("SELECT FROM copied WHERE source = $1", source) == []
    assert await leaves_for(mira, connection, target) == (ADA["email"], [CY["email"]])


ERASER = By("agent:boss", person=True)


async def erase(process: Process, ticket: str) -> int:
    async with process.resources.transactions.begin() as transaction:
        return await Erasing(Store(transaction), ERASER).tickets([ticket])


async def waits(connection: Any) -> None:
    """Until somebody waits for a row."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    await until(lambda: connection.fetchval(asked))


async def test_M3_D21_an_answer_that_is_written_while_its_copied_requester_is_erased_does_not_keep_the_address(
    mira: httpx.AsyncClient, connection: Any, process: Process
) -> None:
    target, source = await opened(mira), await opened(mira, customer=BOB)
    await merge(mira, target, source)
    async with process.resources.transactions.begin() as transaction:
        store = Store(transaction)
        loaded = await store.tickets([target])
        await Desk(store, process.resources.settings, By.agent_named("mira")).reply(loaded[target], Words("Hi"), None)
        erasing = asyncio.create_task(erase(process, source))
        await waits(connection)
    assert await erasing == 1
    rows = await connection.fetch("SELECT outbound::text FROM messages WHERE ticket_id = $1 AND kind = 'agent'", target)
    assert [BOB["email"] in row["outbound"] for row in rows] == [False]
    assert await leaves_for(mira, connection, target) == (ADA["email"], [])


async def test_M3_D21_who_is_erased_while_the_target_is_merged_on_is_erased_the_next_time(
    mira: httpx.AsyncClient, connection: Any, process: Process
) -> None:
    root, middle = await opened(mira), await opened(mira)
    source = await opened(mira, customer=BOB)
    await merge(mira, middle, source)
    async with process.resources.transactions.begin() as transaction:
        merges = Merges(Store(transaction), By.agent_named("mira"))
        await merges.merge(*await merges.target(root, [middle]), confirmed=True)
        erasing = asyncio.create_task(erase(process, source))
        await waits(connection)
    with pytest.raises(asyncpg.SerializationError):
        await erasing
    assert await erase(process, source) == 1
    assert await connection.fetch("SELECT FROM copied WHERE source = $1", source) == []
    assert await leaves_for(mira, connection, root) == (ADA["email"], [])
