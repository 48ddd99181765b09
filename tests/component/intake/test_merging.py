"""People merge tickets and undo it, over HTTP on real servers (behaviour M-1 to M-4)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from libs.chassis.process import Process
from libs.contracts.conversation import ConversationMessageAdded, ConversationStarted, TicketRequested
from services.intake.app import SETTINGS, build
from services.intake.handlers import HEARS
from tests.component.intake.conftest import Intake, files
from tests.component.intake.talk import tell
from tests.support.stack import Stack

ADA = {"name": "Ada Byron", "email": "ada@example.org"}
BOB = {"name": "Bob", "email": "bob@example.net"}


@pytest.fixture(scope="module")
async def process(stack: Stack) -> AsyncIterator[Process]:
    await stack.provision({"intake": tuple(HEARS)})
    await stack.configure(files())
    async with stack.running(build(stack.settings(SETTINGS, "intake"))) as process:
        yield process


async def opened(client: httpx.AsyncClient, text: str = "It flickers", **fields: Any) -> str:
    body = {"subject": "Lamp", "text": text, "customer": ADA, **fields}
    response = await client.post("/v1/tickets", json=body)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def merged(client: httpx.AsyncClient, target: str, *sources: str, **fields: Any) -> httpx.Response:
    return await client.post(f"/v1/tickets/{target}/merge", json={"sources": sources, **fields})


async def read(client: httpx.AsyncClient, ticket: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/v1/tickets/{ticket}")).json()
    return found


async def texts(client: httpx.AsyncClient, ticket: str) -> list[tuple[str, str]]:
    items = (await client.get(f"/v1/tickets/{ticket}/messages")).json()["items"]
    return [(each["ticket"], each["text"]) for each in items]


async def test_M2_a_merge_shows_both_as_one_and_an_unmerge_makes_both_what_they_were(mira: httpx.AsyncClient) -> None:
    source = await opened(mira, "first", tags=["lamp", "vip"], custom={"order": "A-1", "floor": 2}, status="pending")
    target = await opened(mira, "second", tags=["vip"], custom={"order": "B-2"})
    before = await read(mira, source), await read(mira, target)
    response = await merged(mira, target, source)
    assert response.status_code == 200, response.text
    after = response.json()
    assert (after["merged"], after["conflicts"]) == ([source], ["order"])
    assert (after["ticket"]["tags"], after["ticket"]["custom"]) == (["lamp", "vip"], {"order": "B-2", "floor": 2})
    assert after["ticket"]["customer_messages"] == 2
    gone = await read(mira, source)
    assert (gone["status"], gone["merged_into"]) == ("closed", target)
    assert await texts(mira, target) == [(source, "first"), (target, "second")]

    response = await mira.post(f"/v1/tickets/{source}/unmerge")
    assert response.status_code == 200, response.text
    assert response.json()["target"] == target
    for ticket, was in zip((source, target), before, strict=True):
        now = await read(mira, ticket)
        moving = {"version": was["version"] + 2, "updated_at": now["updated_at"]}
        assert now == was | moving
    assert await texts(mira, target) == [(target, "second")]


async def test_M3_different_requesters_are_asked_about_and_named(mira: httpx.AsyncClient) -> None:
    target, source = await opened(mira), await opened(mira, customer=BOB)
    response = await merged(mira, target, source)
    assert response.status_code == 409
    problem = response.json()
    assert problem["confirm"] == "confirm_requesters"
    assert [each["customer"]["email"] for each in problem["requesters"]] == [ADA["email"], BOB["email"]]
    assert (await read(mira, source))["merged_into"] is None
    nobody = await opened(mira, customer={})
    assert (await merged(mira, target, nobody)).status_code == 409
    response = await merged(mira, target, source, nobody, confirm_requesters=True)
    assert response.json()["merged"] == [source, nobody]


async def test_M1_a_merge_is_all_or_nothing_and_doing_it_again_does_nothing(mira: httpx.AsyncClient) -> None:
    target, one, two = [await opened(mira) for _ in range(3)]
    assert (await merged(mira, target, one, "no-such-ticket")).status_code == 404
    assert (await read(mira, one))["merged_into"] is None
    assert (await merged(mira, target, one, two)).json()["ticket"]["version"] == 3
    again = await merged(mira, target, two, one)
    assert (again.json()["merged"], again.json()["ticket"]["version"]) == ([], 3)
    assert (await merged(mira, target, target)).status_code == 422
    assert (await merged(mira, one, target)).status_code == 422, "no circle: one is a part of the target"


async def test_M1_a_merged_target_leads_to_the_living_one_and_a_closed_one_is_refused(mira: httpx.AsyncClient) -> None:
    root, middle, late = [await opened(mira) for _ in range(3)]
    await merged(mira, root, middle)
    response = await merged(mira, middle, late)
    assert response.json()["ticket"]["id"] == root
    assert (await read(mira, late))["merged_into"] == root
    other = await opened(mira)
    conflict = await merged(mira, other, late)
    assert (conflict.status_code, conflict.json()["merged_into"]) == (409, root)
    for status in ("resolved", "closed"):
        await mira.patch(f"/v1/tickets/{root}", json={"status": status})
    assert (await merged(mira, root, other)).status_code == 409
    assert (await mira.post(f"/v1/tickets/{late}/unmerge")).status_code == 409
    assert (await mira.post(f"/v1/tickets/{other}/unmerge")).status_code == 409, "it is not merged"


async def test_M2_a_ticket_leaves_the_middle_of_a_chain_with_what_only_it_had_brought(mira: httpx.AsyncClient) -> None:
    root, middle = await opened(mira, tags=["a"]), await opened(mira, tags=["b", "m"])
    leaf = await opened(mira, tags=["b", "leaf"])
    await merged(mira, middle, leaf)
    await merged(mira, root, middle)
    assert (await read(mira, root))["tags"] == ["a", "b", "leaf", "m"]
    assert (await mira.post(f"/v1/tickets/{leaf}/unmerge")).status_code == 200
    assert (await read(mira, root))["tags"] == ["a", "b", "m"]
    assert (await read(mira, root))["customer_messages"] == 2
    assert (await read(mira, middle))["tags"] == ["b", "m"]
    timeline = (await mira.get(f"/v1/tickets/{root}/timeline")).json()["items"]
    assert [each["type"].split(".")[2] for each in timeline] == ["opened", "absorbed", "separated"]
    assert {each["id"] for each in timeline[1]["data"]["sources"]} == {middle, leaf}


async def test_S7_merging_and_unmerging_ask_for_the_version_that_was_read(mira: httpx.AsyncClient) -> None:
    target, source = await opened(mira), await opened(mira)
    body = {"sources": [source]}
    stale = await mira.post(f"/v1/tickets/{target}/merge", json=body, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.headers["etag"]) == (412, '"1"')
    done = await mira.post(f"/v1/tickets/{target}/merge", json=body, headers={"If-Match": '"1"'})
    assert (done.status_code, done.headers["etag"]) == (200, '"2"')
    stale = await mira.post(f"/v1/tickets/{source}/unmerge", headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert (await mira.post(f"/v1/tickets/{source}/unmerge", headers={"If-Match": '"2"'})).status_code == 200


async def test_H5_what_an_agent_writes_on_a_merged_ticket_goes_to_where_it_went(mira: httpx.AsyncClient) -> None:
    target, source = await opened(mira), await opened(mira)
    await merged(mira, target, source)
    reply = await mira.post(f"/v1/tickets/{source}/replies", json={"text": "Try another bulb"})
    assert (reply.status_code, reply.json()["ticket"]["id"]) == (201, target)
    note = await mira.post(f"/v1/tickets/{source}/notes", json={"text": "two tickets"})
    assert note.json()["ticket"]["id"] == target


async def test_C3_a_chat_goes_on_in_the_target_and_in_its_own_ticket_after_an_unmerge(
    mira: httpx.AsyncClient, intake: Intake
) -> None:
    target = await opened(mira)
    await tell(
        intake,
        ConversationStarted(conversation_id="c1", email=ADA["email"]),
        ConversationMessageAdded(conversation_id="c1", seq=1, role="customer", text="hello"),
        TicketRequested(conversation_id="c1"),
    )
    found = (await mira.get("/v1/conversations/chat/c1")).json()
    source = found["ticket"]
    await merged(mira, target, source)
    await tell(intake, ConversationMessageAdded(conversation_id="c1", seq=2, role="customer", text="still dark"))
    assert (target, "still dark") in await texts(mira, target)
    assert (await mira.post(f"/v1/tickets/{source}/unmerge")).status_code == 200
    await tell(intake, ConversationMessageAdded(conversation_id="c1", seq=3, role="customer", text="and now?"))
    assert (source, "and now?") in await texts(mira, source)


async def test_M2_the_same_words_in_both_tickets_are_shown_once(mira: httpx.AsyncClient) -> None:
    target, source = await opened(mira, "Is anybody there?"), await opened(mira, "Is anybody  there?")
    await merged(mira, target, source)
    (only,) = (await mira.get(f"/v1/tickets/{target}/messages")).json()["items"]
    assert len({only["ticket"], *only["also_in"]}) == 2


async def test_M2_two_merges_at_the_same_time_make_no_circle(mira: httpx.AsyncClient) -> None:
    for _ in range(5):
        one, two = await opened(mira), await opened(mira)
        answers = await asyncio.gather(merged(mira, one, two), merged(mira, two, one))
        assert min(answer.status_code for answer in answers) == 200
        ends = [(await read(mira, each))["merged_into"] for each in (one, two)]
        assert ends.count(None) == 1
