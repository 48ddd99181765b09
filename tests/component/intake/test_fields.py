"""Custom fields, categories and the hand-off note over HTTP (behaviour N-2, N-4)."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from libs.chassis.process import Process
from libs.chassis.tokens import Role
from tests.component.intake.conftest import Intake
from tests.component.intake.desk_process import client_of, desk_process
from tests.component.intake.test_api import event
from tests.support.stack import Stack, until

FIELDS = {
    "fields": [
        {"key": "order", "label": {"en": "Order"}, "type": "text", "pattern": "[A-Z]{2}-[0-9]{4}"},
        {"key": "cause", "label": {"en": "Cause"}, "type": "choice", "choices": ["us", "them"], "required": "resolve"},
        {"key": "parts", "label": {"en": "Parts"}, "type": "choices", "choices": ["lamp", "hub"]},
        {"key": "serial", "label": {"en": "S"}, "type": "text", "queues": ["technical"], "required": "create"},
        {"key": "iban", "label": {"en": "IBAN"}, "type": "text", "personal": True},
    ],
    "categories": [{"key": "billing", "label": {"en": "Billing"}}],
    "only_these_categories": True,
    "only_these_fields": True,
    "handoff_note": "required",
}


@pytest.fixture(scope="module")
async def process(stack: Stack, intake: Intake) -> AsyncIterator[Process]:
    async with desk_process(stack, intake, {"fields.yaml": FIELDS, "desk.yaml": {}}) as process:
        yield process


async def opened(mira: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    response = await mira.post("/v1/tickets", json={"text": "It flickers", **fields})
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def refused(response: httpx.Response) -> str:
    assert response.status_code == 422, response.text
    return str(response.json()["errors"][0]["field"])


async def test_N4_every_way_in_names_the_field_that_is_wrong(
    mira: httpx.AsyncClient, system: httpx.AsyncClient
) -> None:
    ticket = await opened(mira, queue="billing", custom={"order": "AB-1234", "parts": ["hub", "lamp"]}, tags=["VIP"])
    assert (ticket["custom"], ticket["tags"]) == ({"order": "AB-1234", "parts": "lamp, hub"}, ["vip"])
    url = f"/v1/tickets/{ticket['id']}"
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"custom": {"order": "1234"}}, "body.custom.order"),
        ({"custom": {"colour": "red"}}, "body.custom.colour"),
        ({"custom": {"serial": "7"}}, "body.custom.serial"),
        ({"category": "gardening"}, "body.category"),
        ({"tags": ["a,b"]}, "body.tags.0"),
    ]
    for body, field in wrong:
        assert refused(await mira.patch(url, json=body)) == field
        assert refused(await mira.post("/v1/tickets", json={"text": "x", "queue": "billing"} | body)) == field
    assert refused(await mira.post("/v1/tickets", json={"text": "x", "queue": "technical"})) == "body.custom.serial"
    asked = event("ticket-requested", "w1", conversation_id="wrong", custom={"order": "7"})
    answer = await system.post("/v1/conversation-events", json=[asked, event("started", "w2", conversation_id="wrong")])
    assert answer.status_code == 207
    assert answer.json()["items"][0]["reason"].startswith("data.custom.order: must look like")


async def test_N4_what_a_resolved_ticket_needs_is_asked_for_when_it_is_resolved(mira: httpx.AsyncClient) -> None:
    ticket = await opened(mira)
    url = f"/v1/tickets/{ticket['id']}"
    assert refused(await mira.patch(url, json={"status": "resolved"})) == "body.custom.cause"
    assert (
        refused(await mira.post(f"{url}/replies", json={"text": "Done", "submit_as": "solved"})) == "body.custom.cause"
    )
    assert (await mira.get(url)).json()["version"] == 1
    resolved = await mira.patch(url, json={"status": "resolved", "custom": {"cause": "us"}})
    assert resolved.status_code == 200
    assert resolved.json()["status"] == "resolved"


async def test_N4_forms_can_be_made_from_what_is_configured(mira: httpx.AsyncClient) -> None:
    found = (await mira.get("/v1/fields")).json()
    assert [each["key"] for each in found["fields"]] == ["order", "cause", "parts", "serial", "iban"]
    assert found["categories"] == [{"key": "billing", "label": {"en": "Billing"}}]
    allowed = {each["key"]: each["allowed"] for each in found["statuses"]}
    assert "closed" in allowed["resolved"]
    assert allowed["closed"] == []


async def test_N4_the_timeline_and_the_facts_know_that_a_personal_field_changed_and_not_to_what(
    mira: httpx.AsyncClient, intake: Intake
) -> None:
    ticket = await opened(mira)
    url = f"/v1/tickets/{ticket['id']}"
    assert (await mira.patch(url, json={"custom": {"iban": "DE4450"}})).json()["custom"] == {"iban": "DE4450"}
    assert "DE4450" not in (await mira.get(f"{url}/timeline")).text
    rows = await intake.fetch("SELECT data::text || ticket::text AS said FROM events WHERE subject = $1", ticket["id"])
    assert not any("DE4450" in row["said"] for row in rows)


async def test_N2_who_gives_a_ticket_to_another_queue_says_how_it_stands(
    mira: httpx.AsyncClient, system: httpx.AsyncClient
) -> None:
    ticket = await opened(mira, queue="billing")
    url = f"/v1/tickets/{ticket['id']}"
    assert refused(await mira.patch(url, json={"queue": "technical"})) == "body.handoff"
    handoff = {"tried": "another bulb", "status": "still dark", "next": "look at the driver"}
    moved = await mira.patch(url, json={"queue": "technical", "handoff": handoff})
    assert moved.json()["queue"] == "technical"
    facts = (await mira.get(f"{url}/timeline")).json()["items"]
    assert [each["type"].split(".")[2] for each in facts] == ["opened", "note-added", "changed"]
    messages = (await mira.get(f"{url}/messages")).json()["items"]
    assert messages[-1]["visibility"] == "internal"
    assert messages[-1]["text"] == "Tried: another bulb\nStatus: still dark\nNext: look at the driver"
    assert (await system.patch(url, json={"queue": "billing"})).status_code == 200


async def test_N4_a_personal_field_is_erased_with_its_customer(stack: Stack, process: Process) -> None:
    async with client_of(stack, process, "boss", Role.ADMIN) as boss:
        customer = {"name": "Vera", "email": "vera@one.example"}
        ticket = await opened(boss, customer=customer, custom={"iban": "DE4451", "order": "AB-1234"})
        url = f"/v1/customers/{ticket['customer']['id']}"
        assert (await boss.post(f"{url}/erasure")).status_code == 202

        async def done() -> bool:
            return bool((await boss.get(f"{url}/erasure")).json()["state"] == "done")

        await until(done)
        assert (await boss.get(f"/v1/tickets/{ticket['id']}")).json()["custom"] == {}


async def test_C6_tickets_are_made_of_many_conversations_and_each_is_answered(
    mira: httpx.AsyncClient, system: httpx.AsyncClient
) -> None:
    said = [
        event("message-added", f"many-{n}", conversation_id=f"many-{n}", seq=1, role="customer", text=f"help {n}")
        for n in range(20)
    ]
    assert (await system.post("/v1/conversation-events", json=said)).status_code == 202

    async def heard() -> bool:
        return (await mira.get("/v1/conversations/shop/many-19")).status_code == 200

    await until(heard)
    items: list[dict[str, Any]] = [
        {"source": "shop", "conversation_id": f"many-{n}", "topic": "refund", "custom": {"order": "AB-1234"}}
        for n in range(20)
    ]
    wrong: list[dict[str, Any]] = [
        {"source": "shop", "conversation_id": "never-heard-of"},
        {"source": "shop", "conversation_id": "many-0", "intent_id": "second", "custom": {"order": "?"}},
        {"source": "shop", "conversation_id": "many-0", "intent_id": "third", "assignee": "nobody"},
        {"source": "shop", "conversation_id": "many-0", "intent_id": "fourth"},
    ]
    answer = await mira.post("/v1/conversations/tickets", json={"items": items + wrong})
    assert answer.status_code == 207, answer.text
    made = answer.json()["items"]
    assert [each["status"] for each in made] == [201] * 20 + [404, 422, 422, 201]
    assert [each["field"] for each in made[20:]] == [None, "custom.order", "assignee", None]
    assert len({each["ticket"] for each in made if each["ticket"]}) == 21
    ticket = (await mira.get(f"/v1/tickets/{made[7]['ticket']}")).json()
    assert (ticket["subject"], ticket["custom"], ticket["created_by"]) == (
        "refund",
        {"order": "AB-1234", "topic": "refund"},
        None,
    )
    again = await mira.post("/v1/conversations/tickets", json={"items": items})
    assert again.status_code == 200
    assert [each["status"] for each in again.json()["items"]] == [200] * 20
    assert [each["ticket"] for each in again.json()["items"]] == [each["ticket"] for each in made[:20]]
