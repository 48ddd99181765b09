"""Templates, canned responses and macros over HTTP: one step, whole or not at all (behaviour N-3, N-5)."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from libs.chassis.process import Process
from libs.chassis.tokens import Role
from tests.component.intake.conftest import Intake
from tests.component.intake.desk_process import client_of, desk_process
from tests.support.stack import Stack

DESK = {
    "responses": [
        {
            "key": "refund_started",
            "label": {"en": "Refund"},
            "text": {"en": "Hello {{ customer }}, order {{ custom.order }}. {{ agent }}", "de": "Hallo {{ customer }}"},
        }
    ],
    "templates": [
        {
            "key": "refund",
            "label": {"en": "Refund"},
            "priority": "high",
            "category": "billing",
            "tags": ["refund"],
            "custom": {"order": "AB-1"},
            "note": {"en": "Check {{ reference }} first"},
            "response": "refund_started",
        }
    ],
    "macros": [
        {
            "key": "tell",
            "label": {"en": "Tell and wait"},
            "assignee": "me",
            "tags": ["told"],
            "status": "pending",
            "note": {"en": "Told by {{ agent }}"},
            "response": "refund_started",
        },
        {"key": "close", "label": {"en": "Close"}, "tags": ["gone"], "status": "closed", "response": "refund_started"},
        {"key": "drop", "label": {"en": "Drop"}, "tags": ["dropped"], "lead_only": True},
    ],
}


@pytest.fixture(scope="module")
async def process(stack: Stack, intake: Intake) -> AsyncIterator[Process]:
    async with desk_process(stack, intake, {"desk.yaml": DESK}) as process:
        yield process


async def opened(mira: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    body = {"text": "Money back", "customer": {"name": "Ada", "email": "ada@example.org"}, **fields}
    response = await mira.post("/v1/tickets", json=body)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


async def facts(mira: httpx.AsyncClient, ticket: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await mira.get(f"/v1/tickets/{ticket}/timeline")).json()["items"]
    return found


async def test_N3_a_template_fills_fields_leaves_a_note_and_proposes_an_answer_in_one_change(
    mira: httpx.AsyncClient,
) -> None:
    ticket = await opened(mira)
    url = f"/v1/tickets/{ticket['id']}"
    body = {"template": "refund"}
    answer = await mira.post(f"{url}/apply-template", json=body, headers={"If-Match": '"1"', "Idempotency-Key": "t1"})
    assert answer.status_code == 200, answer.text
    applied = answer.json()
    assert applied["draft"] == "Hello Ada, order . mira"
    after = applied["ticket"]
    assert (after["priority"], after["category"], after["tags"]) == ("high", "billing", ["refund"])
    assert after["version"] == 3
    _, note, changed = await facts(mira, ticket["id"])
    assert (note["type"].split(".")[2], changed["type"].split(".")[2]) == ("note-added", "changed")
    assert set(changed["data"]["changes"]) == {"priority", "category", "tags", "custom.order"}
    messages = (await mira.get(f"{url}/messages")).json()["items"]
    assert [each["role"] for each in messages] == ["customer", "note"]
    assert messages[1]["text"] == f"Check {ticket['reference']} first"
    again = await mira.post(f"{url}/apply-template", json=body, headers={"If-Match": '"1"', "Idempotency-Key": "t1"})
    assert again.json() == applied
    stale = await mira.post(f"{url}/apply-template", json=body, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert (await mira.post(f"{url}/apply-template", json={"template": "none"})).status_code == 404


async def test_N3_a_ticket_can_begin_from_a_template_and_what_is_given_comes_first(mira: httpx.AsyncClient) -> None:
    ticket = await opened(mira, template="refund", priority="low", tags=["mine"])
    assert (ticket["priority"], ticket["category"], ticket["tags"]) == ("low", "billing", ["mine", "refund"])
    messages = (await mira.get(f"/v1/tickets/{ticket['id']}/messages")).json()["items"]
    assert messages[1]["text"] == f"Check {ticket['reference']} first"


async def test_N3_what_is_at_hand_is_listed_with_its_variables_and_versions(mira: httpx.AsyncClient) -> None:
    (response,) = (await mira.get("/v1/responses")).json()["items"]
    assert response["variables"] == ["agent", "custom", "customer"]
    assert response["languages"] == ["en", "de"]
    (template,) = (await mira.get("/v1/templates")).json()["items"]
    assert template["variables"] == ["agent", "custom", "customer", "reference"]
    assert len(template["version"]) == 12
    macros = (await mira.get("/v1/macros")).json()["items"]
    assert [each["key"] for each in macros] == ["tell", "close", "drop"]


async def test_N3_a_preview_shows_everything_and_changes_nothing(mira: httpx.AsyncClient) -> None:
    ticket = await opened(mira)
    shown = (await mira.get("/v1/templates/refund/preview", params={"ticket": ticket["reference"]})).json()
    assert shown["note"] == f"Check {ticket['reference']} first"
    assert shown["changes"]["priority"] == {"old": None, "new": "high"}
    assert any("order" in problem for problem in shown["problems"])
    german = (await mira.get("/v1/responses/refund_started/preview", params={"language": "de"})).json()
    assert (german["response"], german["problems"]) == ("Hallo", ["customer has no value", "'customer' is undefined"])
    refused = (await mira.get("/v1/macros/close/preview", params={"ticket": ticket["id"]})).json()
    assert any("cannot become closed" in problem for problem in refused["problems"])
    assert (await mira.get(f"/v1/tickets/{ticket['id']}")).json()["version"] == 1
    assert (await mira.get("/v1/macros/none/preview")).status_code == 404


async def test_N5_a_macro_answers_notes_and_changes_in_one_step(mira: httpx.AsyncClient) -> None:
    ticket = await opened(mira, custom={"order": "AB-7"})
    answer = await mira.post(f"/v1/tickets/{ticket['id']}/macros/tell", json={})
    assert answer.status_code == 200, answer.text
    after = answer.json()["ticket"]
    assert (after["status"], after["assignee"], after["tags"], after["version"]) == ("pending", "mira", ["told"], 4)
    said = (await facts(mira, ticket["id"]))[1:]
    assert [each["type"].split(".")[2] for each in said] == ["message-added", "note-added", "changed"]
    assert len({each["occurred_at"] for each in said}) == 1
    messages = (await mira.get(f"/v1/tickets/{ticket['id']}/messages")).json()["items"]
    assert [(each["role"], each["text"]) for each in messages[1:]] == [
        ("agent", "Hello Ada, order AB-7. mira"),
        ("note", "Told by mira"),
    ]


async def test_N5_a_macro_of_which_one_part_is_refused_does_nothing(mira: httpx.AsyncClient, intake: Intake) -> None:
    ticket = await opened(mira)
    answer = await mira.post(f"/v1/tickets/{ticket['id']}/macros/close", json={})
    assert answer.status_code == 409
    assert "pending" in answer.json()["allowed"]
    after = (await mira.get(f"/v1/tickets/{ticket['id']}")).json()
    assert (after["version"], after["tags"]) == (1, [])
    assert len((await mira.get(f"/v1/tickets/{ticket['id']}/messages")).json()["items"]) == 1


async def test_N5_a_macro_for_leads_is_refused_to_agents(
    stack: Stack, process: Process, mira: httpx.AsyncClient
) -> None:
    ticket = await opened(mira)
    assert (await mira.post(f"/v1/tickets/{ticket['id']}/macros/drop", json={})).status_code == 403
    async with client_of(stack, process, "tom", Role.LEAD) as lead:
        done = await lead.post(f"/v1/tickets/{ticket['id']}/macros/drop", json={})
    assert done.json()["ticket"]["tags"] == ["dropped"]


async def test_N5_the_audit_trail_says_which_macro_in_which_version(mira: httpx.AsyncClient, intake: Intake) -> None:
    ticket = await opened(mira)
    await mira.post(f"/v1/tickets/{ticket['id']}/macros/tell", json={})
    version = next(each["version"] for each in (await mira.get("/v1/macros")).json()["items"] if each["key"] == "tell")
    rows = await intake.fetch("SELECT cause FROM events WHERE subject = $1 AND n > 1", ticket["id"])
    assert len(rows) == 3
    assert all(row["cause"].startswith(f"macro:tell@{version}") for row in rows)
