"""Intake over HTTP, on real servers: what people and other systems do."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from libs.chassis.process import Process
from libs.contracts.routing import AgentChanged, Presence, QueueChanged
from services.intake.app import SETTINGS, build
from services.intake.domain.reference import reference
from services.intake.handlers import HEARS, handle
from tests.component.intake.conftest import Intake, files
from tests.component.intake.talk import fact
from tests.support.stack import Stack, until

PHONE = {"subject": "Lamp broken", "text": "It flickers", "customer": {"name": "Ada Byron", "email": "Ada@Example.org"}}


@pytest.fixture(scope="module")
async def process(stack: Stack, intake: Intake) -> AsyncIterator[Process]:
    await stack.provision({"intake": tuple(HEARS)})
    await stack.configure(files())
    async with stack.running(build(stack.settings(SETTINGS, "intake"))) as process:
        async with process.transactions.begin() as transaction:
            await handle(
                [
                    fact(AgentChanged(key="mira", active=True, presence=Presence.ONLINE), "agent:mira", 1, intake),
                    fact(AgentChanged(key="gone", active=False, presence=Presence.OFFLINE), "agent:gone", 1, intake),
                    fact(QueueChanged(key="billing", name="Billing"), "queue:billing", 1, intake),
                ],
                transaction,
            )
        yield process


async def opened(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    response = await client.post("/v1/tickets", json=PHONE | fields)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_a_ticket_by_hand_works_like_any_other(mira: httpx.AsyncClient) -> None:
    body = PHONE | {"priority": "urgent", "queue": "billing", "tags": ["b", "a"], "note": "sounded upset"}
    response = await mira.post("/v1/tickets", json=body, headers={"Idempotency-Key": "once"})
    again = await mira.post("/v1/tickets", json=body, headers={"Idempotency-Key": "once"})
    assert response.status_code == again.status_code == 201
    assert response.json() == again.json()
    ticket = response.json()
    assert (ticket["priority"], ticket["queue"], ticket["tags"]) == ("critical", "billing", ["a", "b"])
    assert (ticket["channel"], ticket["created_by"], ticket["version"]) == ("phone", "mira", 2)
    assert ticket["customer"]["email"] == "ada@example.org"
    for name in (ticket["id"], ticket["reference"]):
        found = await mira.get(f"/v1/tickets/{name}")
        assert found.json() == ticket
        assert found.headers["etag"] == '"2"'
    messages = (await mira.get(f"/v1/tickets/{ticket['id']}/messages")).json()["items"]
    assert [(each["role"], each["text"]) for each in messages] == [
        ("customer", "It flickers"),
        ("note", "sounded upset"),
    ]


async def test_S4_a_reply_leaves_as_mail_and_sets_the_status_after_it(mira: httpx.AsyncClient) -> None:
    ticket = await opened(mira)
    body = {"text": "Try another bulb", "html": "<b>Try</b><script>x</script>", "submit_as": "solved"}
    response = await mira.post(f"/v1/tickets/{ticket['id']}/replies", json=body)
    assert response.status_code == 201, response.text
    after = response.json()["ticket"]
    assert (after["status"], after["assignee"], after["version"]) == ("resolved", "mira", 3)
    timeline = (await mira.get(f"/v1/tickets/{ticket['id']}/timeline")).json()["items"]
    assert [each["type"].split(".")[2] for each in timeline] == ["opened", "message-added", "changed"]
    assert {each["actor"] for each in timeline} == {"agent:mira"}


async def test_J1_J3_a_timeline_says_who_did_it_through_what_by_which_request_and_what_was_before(
    mira: httpx.AsyncClient,
) -> None:
    ticket = await opened(mira)
    url = f"/v1/tickets/{ticket['id']}"
    for id, priority in (("low-it", "low"), ("raise-it", "high")):
        await mira.patch(url, json={"priority": priority}, headers={"X-Request-ID": id})
    entry = (await mira.get(f"{url}/timeline")).json()["items"][-1]
    assert (entry["actor"], entry["via"], entry["cause"]) == ("agent:mira", "api", "raise-it")
    assert entry["data"]["changes"] == {"priority": {"old": "low", "new": "high"}}


async def test_S7_what_a_status_does_not_allow_is_a_conflict_that_names_what_it_does(mira: httpx.AsyncClient) -> None:
    ticket = await opened(mira)
    response = await mira.patch(f"/v1/tickets/{ticket['id']}", json={"status": "closed"})
    assert response.status_code == 409
    assert "resolved" in response.json()["allowed"]
    assert "closed" not in response.json()["allowed"]
    unknown = await mira.patch(f"/v1/tickets/{ticket['id']}", json={"status": "sleeping"})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "body.status")


async def test_S6_a_closed_ticket_takes_tags_and_nothing_else(mira: httpx.AsyncClient) -> None:
    ticket = await opened(mira)
    url = f"/v1/tickets/{ticket['id']}"
    for status in ("resolved", "closed"):
        assert (await mira.patch(url, json={"status": status})).status_code == 200
    assert (await mira.post(f"{url}/replies", json={"text": "hello?"})).status_code == 409
    assert (await mira.patch(url, json={"priority": "low"})).status_code == 409
    assert (await mira.patch(url, json={"tags": ["feedback/lamps"]})).json()["tags"] == ["feedback/lamps"]


async def test_a_stale_version_is_refused_and_the_present_one_named(mira: httpx.AsyncClient) -> None:
    ticket = await opened(mira)
    url = f"/v1/tickets/{ticket['id']}"
    first = await mira.patch(url, json={"priority": "high"}, headers={"If-Match": '"1"'})
    assert first.headers["etag"] == '"2"'
    second = await mira.patch(url, json={"priority": "low"}, headers={"If-Match": '"1"'})
    assert (second.status_code, second.headers["etag"]) == (412, '"2"')


async def test_of_changes_of_one_version_at_the_same_time_one_wins(mira: httpx.AsyncClient) -> None:
    ticket = await opened(mira)
    answers = await asyncio.gather(
        *(
            mira.patch(f"/v1/tickets/{ticket['id']}", json={"category": f"c{n}"}, headers={"If-Match": '"1"'})
            for n in range(8)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"assignee": "nobody"}, "body.assignee"),
        ({"assignee": "gone"}, "body.assignee"),
        ({"queue": "nowhere"}, "body.queue"),
        ({"priority": "huge"}, "body.priority"),
        ({"tags": None}, "body.tags"),
        ({"colour": "red"}, "body.colour"),
        ({"custom": {"Bad Key": 1}}, "body.custom"),
        ({"subject": "a\x00b"}, "body.subject"),
    ],
)
async def test_a_wrong_field_is_named(mira: httpx.AsyncClient, change: dict[str, Any], field: str) -> None:
    ticket = await opened(mira)
    response = await mira.patch(f"/v1/tickets/{ticket['id']}", json=change)
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["field"].startswith(field)


async def test_nobody_reads_tickets_without_a_token_and_no_ticket_is_404(
    stack: Stack, process: Process, mira: httpx.AsyncClient
) -> None:
    async with httpx.AsyncClient(base_url=process.url) as stranger:
        assert (await stranger.get("/v1/tickets")).status_code == 401
    assert (await mira.get("/v1/tickets/none")).status_code == 404
    assert (await mira.get(f"/v1/tickets/{reference(999_999)}")).status_code == 404


async def test_lists_walk_every_ticket_once_while_they_change(mira: httpx.AsyncClient) -> None:
    """behaviour V-3."""
    made = [(await opened(mira, category="walk"))["id"] for _ in range(7)]
    for sort in ("created_at", "-created_at", "updated_at", "-updated_at", "next_deadline"):
        seen: list[str] = []
        cursor: str | None = None
        while True:
            query = {"category": "walk", "limit": "3"} | ({"cursor": cursor} if cursor else {"sort": sort})
            page = (await mira.get("/v1/tickets", params=query)).json()
            seen += [each["id"] for each in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert sorted(seen) == sorted(made), sort
    assert (await mira.get("/v1/tickets", params={"cursor": "nonsense"})).status_code == 422


async def test_views_and_filters_combine(mira: httpx.AsyncClient) -> None:
    """behaviour V-4."""

    async def found(**query: Any) -> set[str]:
        page = (await mira.get("/v1/tickets", params={"category": "folders"} | query)).json()
        return {each["subject"] for each in page["items"]}

    await opened(mira, category="folders", subject="free", tags=["lamps"])
    await opened(mira, category="folders", subject="mine", assignee="mira", priority="high", queue="billing")
    solved = await opened(mira, category="folders", subject="done")
    await mira.patch(f"/v1/tickets/{solved['id']}", json={"status": "resolved"})
    waiting = await opened(mira, category="folders", subject="waits", priority="critical")
    await mira.patch(f"/v1/tickets/{waiting['id']}", json={"status": "pending"})
    assert await found(view="unassigned") == {"free", "waits"}
    assert await found(view="my-open") == {"mine"}
    assert await found(view="all-open") == {"free", "mine"}
    assert await found(view="pending") == {"waits"}
    assert await found(view="solved") == {"done"}
    assert await found(view="critical-and-high") == {"mine", "waits"}
    assert await found(view="my-open", priority="high") == {"mine"}
    assert await found(view="my-open", priority="low") == set()
    assert await found(tag="lamps") == {"free"}
    assert await found(queue="none", status=["open", "pending"]) == {"free", "waits"}
    assert await found(q=free_reference(await mira.get("/v1/tickets", params={"tag": "lamps"}))) == {"free"}
    assert await found(q="ada@ex") == {"free", "mine", "done", "waits"}
    assert (await mira.get("/v1/tickets", params={"view": "mars"})).status_code == 422
    keys = [view["key"] for view in (await mira.get("/v1/views")).json()["items"]]
    assert keys[:2] == ["unassigned", "my-open"]


def free_reference(response: httpx.Response) -> str:
    return str(response.json()["items"][0]["reference"])


def event(name: str, id: str, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id,
        "source": "shop",
        "type": f"signalbox.conversation.{name}.v1",
        "data": data,
    }


async def test_conversation_events_come_by_http_into_the_same_stream(
    system: httpx.AsyncClient, mira: httpx.AsyncClient
) -> None:
    events = [
        event("started", "1", conversation_id="web-1", email="Bo@example.org", url="https://shop.example/c/1"),
        event("message-added", "2", conversation_id="web-1", seq=1, role="customer", text="Where is my parcel?"),
        event("message-added", "3", conversation_id="web-1", seq=2, role="stranger", text="?"),
    ]
    answer = await system.post("/v1/conversation-events", json=events)
    assert answer.status_code == 207, answer.text
    assert [each["accepted"] for each in answer.json()["items"]] == [True, True, False]
    assert "role" in answer.json()["items"][2]["reason"]
    assert (await mira.post("/v1/conversation-events", json=events[0])).status_code == 403
    assert (await system.post("/v1/conversation-events", content=b"[")).status_code == 422

    async def ticket() -> httpx.Response | None:
        response = await mira.post("/v1/conversations/shop/web-1/ticket", json={"priority": "high", "reason": "call"})
        return response if response.status_code != 404 else None

    first = await until(ticket)
    assert first.status_code == 201, first.text
    assert (first.json()["subject"], first.json()["customer"]["email"]) == ("Where is my parcel?", "bo@example.org")
    assert first.json()["conversation_url"] == "https://shop.example/c/1"
    again = await mira.post("/v1/conversations/shop/web-1/ticket", json={})
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    late = event("message-added", "4", conversation_id="web-1", seq=3, role="customer", text="Found it")
    assert (await system.post("/v1/conversation-events", json=late)).status_code == 202

    async def appended() -> bool:
        items = (await mira.get(f"/v1/tickets/{first.json()['id']}/messages")).json()["items"]
        return [each["text"] for each in items] == ["Where is my parcel?", "Found it"]

    assert await until(appended)
    export = await system.get("/v1/export/messages")
    lines = [json.loads(line) for line in export.text.splitlines()]
    mine = [line for line in lines if line["conversation_id"] == "web-1"]
    assert [(line["seq"], line["role"], line["text"]) for line in mine] == [
        (1, "customer", "Where is my parcel?"),
        (3, "customer", "Found it"),
    ]
    assert {line["ticket"] for line in mine} == {first.json()["id"]}


async def test_C6_five_hundred_events_at_once_are_taken_and_one_more_is_not(system: httpx.AsyncClient) -> None:
    text = "long " * 1000
    events = [
        event("message-added", f"bulk-{n}", conversation_id="bulk", seq=n, role="customer", text=text)
        for n in range(501)
    ]
    taken = await system.post("/v1/conversation-events", json=events[:500])
    assert taken.status_code == 202, taken.text
    assert sum(each["accepted"] for each in taken.json()["items"]) == 500
    assert (await system.post("/v1/conversation-events", json=events)).status_code == 422


async def test_people_are_found_before_a_ticket_is_made(mira: httpx.AsyncClient) -> None:
    await opened(mira, customer={"name": "Zoë 100%_er", "email": "zoe@example.org"})
    by_name = (await mira.get("/v1/customers", params={"q": "zoë 100%_"})).json()["items"]
    by_email = (await mira.get("/v1/customers", params={"q": "ZOE@"})).json()["items"]
    assert [each["email"] for each in by_name] == [each["email"] for each in by_email] == ["zoe@example.org"]
    assert (await mira.get("/v1/customers", params={"q": "%%"})).json()["items"] == []


@pytest.mark.parametrize("path", ["conversations/chat/%00", f"mail/{2**70}"])
async def test_I5_what_no_column_can_hold_is_the_questions_fault(system: httpx.AsyncClient, path: str) -> None:
    response = await system.get(f"/v1/{path}")
    assert (response.status_code, response.json()["type"]) == (422, "urn:signalbox:problem:invalid")


async def test_J3_a_timeline_walked_page_by_page_is_the_whole_timeline(mira: httpx.AsyncClient) -> None:
    ticket = await opened(mira, note="sounded upset")
    url = f"/v1/tickets/{ticket['id']}"
    for priority in ("low", "high", "medium"):
        await mira.patch(url, json={"priority": priority})
    whole = (await mira.get(f"{url}/timeline")).json()["items"]
    walked: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await mira.get(f"{url}/timeline", params={"limit": 2, **cursor})).json()
        walked += page["items"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert walked == whole
    assert [each["n"] for each in whole] == [1, 2, 3, 4, 5]
