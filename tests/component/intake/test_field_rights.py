"""Fields that not everybody may see or change, over every way to a ticket (behaviour V-5)."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from libs.chassis.process import Process
from libs.chassis.tokens import Role
from libs.contracts.conversation import ConversationMessageAdded, HandedOff, TicketRequested
from libs.contracts.conversation import Role as Writer
from libs.contracts.routing import RoutedFields, TicketRouted
from tests.component.intake.conftest import Intake
from tests.component.intake.desk_process import client_of, desk_process
from tests.component.intake.talk import fact, hear, tell
from tests.support.stack import Stack, until

FIELDS = {
    "fields": [
        {"key": "order", "label": {"en": "Order"}, "type": "text"},
        {"key": "refund", "label": {"en": "Refund"}, "type": "number", "change": "lead"},
        {"key": "claim", "label": {"en": "Claim"}, "type": "text", "see": "lead"},
        {"key": "risk", "label": {"en": "Risk"}, "type": "choice", "choices": ["low", "high"], "see": "lead"},
    ]
}
DESK = {
    "responses": [
        {"key": "told", "label": {"en": "Told"}, "text": {"en": "Risk {{ custom.risk }}, {{ custom.order }}"}}
    ],
    "macros": [{"key": "flag", "label": {"en": "Flag"}, "custom": {"risk": "high"}}],
}
LEADS = ("lead", "lead")
CUSTOM = {"order": "A-1", "refund": 20, "risk": "high"}
SEEN = {"order": "A-1", "refund": 20}
ANN = {"email": "ann@example.org"}


@pytest.fixture(scope="module")
async def process(stack: Stack, intake: Intake) -> AsyncIterator[Process]:
    async with desk_process(stack, intake, {"fields.yaml": FIELDS, "desk.yaml": DESK}) as process:
        yield process


@pytest.fixture
async def mira(stack: Stack, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(stack, process, "mira") as client:
        yield client


@pytest.fixture
async def lea(stack: Stack, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(stack, process, "lea", Role.LEAD) as client:
        yield client


@pytest.fixture
async def program(stack: Stack, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    async with stack.client(process) as client:
        yield client


async def opened(client: httpx.AsyncClient, subject: str, **custom: Any) -> str:
    body = {"subject": subject, "text": f"about {subject}", "customer": ANN, "custom": custom}
    response = await client.post("/v1/tickets", json=body)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def read(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    response = await client.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def test_V5_every_way_to_a_ticket_shows_an_agent_what_agents_may_see(
    mira: httpx.AsyncClient, lea: httpx.AsyncClient, program: httpx.AsyncClient
) -> None:
    id = await opened(lea, "shown", **CUSTOM)
    for client, expected in ((mira, SEEN), (lea, CUSTOM), (program, CUSTOM)):
        assert (await read(client, f"/v1/tickets/{id}"))["custom"] == expected
        (listed,) = (await read(client, "/v1/tickets", where="subject word shown"))["items"]
        assert listed["custom"] == expected
        changed = await client.patch(f"/v1/tickets/{id}", json={"tags": ["seen"]})
        assert changed.json()["custom"] == expected
        noted = await client.post(f"/v1/tickets/{id}/notes", json={"text": "look"})
        assert noted.json()["ticket"]["custom"] == expected
    assert (await mira.post(f"/v1/tickets/{id}/remove", json={"reason": "spam"})).json()["custom"] == SEEN
    (removed,) = (await read(mira, "/v1/removed-tickets"))["items"]
    assert removed["custom"] == SEEN


async def test_V5_a_list_and_its_count_tell_an_agent_nothing_of_what_agents_may_not_see(
    mira: httpx.AsyncClient, lea: httpx.AsyncClient
) -> None:
    risky, safe = await opened(lea, "risky", **CUSTOM), await opened(lea, "safe", risk="low")
    view = {"label": "Risky", "scope": "global", "where": "subject matches '^(risky|safe)$' and custom.risk = high"}
    key = (await lea.post("/v1/views", json=view)).json()["key"]
    here = "subject matches '^(risky|safe)$' and "
    for where, leads in (
        ("custom.risk = high", {risky}),
        ("custom.risk != high", {safe}),
        ("custom.risk is set", None),
    ):
        found = {each["id"] for each in (await read(lea, "/v1/tickets", where=here + where))["items"]}
        assert found == (leads if leads is not None else {risky, safe})
        told = {each["id"] for each in (await read(mira, "/v1/tickets", where=here + where))["items"]}
        assert told == ({risky, safe} if "!=" in where else set())
    assert (await read(lea, f"/v1/views/{key}"))["count"] == 1
    assert (await read(mira, f"/v1/views/{key}"))["count"] == 0
    assert (await read(mira, "/v1/tickets", view=key))["items"] == []
    chosen = {"filter": {"where": here + "custom.risk = high"}, "add_tags": ["caught"]}
    assert (await mira.post("/v1/tickets/bulk", json=chosen)).json()["total"] == 0


async def test_V5_history_and_facts_say_nothing_of_it(
    mira: httpx.AsyncClient, lea: httpx.AsyncClient, intake: Intake
) -> None:
    id = await opened(lea, "history")
    changed = await lea.patch(f"/v1/tickets/{id}", json={"custom": CUSTOM})
    assert changed.status_code == 200, changed.text
    last = (await read(mira, f"/v1/tickets/{id}/timeline"))["items"][-1]["data"]["changes"]
    assert last.keys() == {"custom.order", "custom.refund"}
    assert (await read(lea, f"/v1/tickets/{id}/timeline"))["items"][-1]["data"]["changes"].keys() == {
        f"custom.{key}" for key in CUSTOM
    }
    for row in await intake.fetch(
        "SELECT data::text AS data, ticket::text AS ticket FROM events WHERE subject = $1", id
    ):
        assert "high" not in row["data"] + str(row["ticket"])


async def test_V5_what_somebody_may_not_change_they_cannot_by_any_way(
    mira: httpx.AsyncClient, lea: httpx.AsyncClient, intake: Intake
) -> None:
    id = await opened(lea, "kept", **CUSTOM)
    before = await read(lea, f"/v1/tickets/{id}")
    await tell(
        intake,
        ConversationMessageAdded(conversation_id="rights", seq=1, role=Writer.CUSTOMER, text="hi"),
        HandedOff(conversation_id="rights"),
    )
    named = {"customer": ANN, "custom": {"refund": 1}, "intent_id": "second"}
    for key in ("refund", "risk"):
        for value in (CUSTOM[key], None):
            refused = await mira.patch(f"/v1/tickets/{id}", json={"custom": {key: value, "order": "B"}})
            assert (refused.status_code, key in refused.text) == (403, True), refused.text
    body = {"text": "x", "customer": ANN, "custom": {"risk": "low"}}
    for path, json in (
        ("/v1/tickets", body),
        (f"/v1/tickets/{id}/macros/flag", {}),
        ("/v1/tickets/bulk", {"tickets": [id], "change": {"custom": {"refund": 1}}}),
        ("/v1/conversations/chat/rights/ticket", named),
    ):
        assert (await mira.post(path, json=json)).status_code == 403, path
    many = {"items": [{**named, "source": "chat", "conversation_id": "rights"}]}
    (made,) = (await mira.post("/v1/conversations/tickets", json=many)).json()["items"]
    assert (made["status"], made["field"], made["ticket"]) == (422, "custom.refund", None)
    assert await read(lea, f"/v1/tickets/{id}") == before
    kept = await mira.patch(f"/v1/tickets/{id}", json={"custom": {"order": "B"}})
    assert kept.json()["custom"] == SEEN | {"order": "B"}
    assert (await read(lea, f"/v1/tickets/{id}"))["custom"] == CUSTOM | {"order": "B"}


async def test_V5_leads_change_many_tickets_at_once(mira: httpx.AsyncClient, lea: httpx.AsyncClient) -> None:
    id = await opened(mira, "many")
    job = (await lea.post("/v1/tickets/bulk", json={"tickets": [id], "change": {"custom": {"risk": "low"}}})).json()

    async def is_done() -> bool:
        return bool((await read(lea, f"/v1/jobs/{job['id']}"))["done"] == 1)

    await until(is_done)
    assert (await read(lea, f"/v1/tickets/{id}"))["custom"] == {"risk": "low"}


async def test_V5_prepared_texts_say_to_an_agent_what_agents_may_see(
    mira: httpx.AsyncClient, lea: httpx.AsyncClient
) -> None:
    id = await opened(lea, "spoken", **CUSTOM)
    assert (await read(lea, "/v1/responses/told/preview", ticket=id))["response"] == "Risk high, A-1"
    assert (await read(mira, "/v1/responses/told/preview", ticket=id))["response"] == "Risk , A-1"


async def test_V5_duplicates_and_merges_give_nothing_away(mira: httpx.AsyncClient, lea: httpx.AsyncClient) -> None:
    one, other = await opened(lea, "apple", claim="CL-48213"), await opened(lea, "pear", claim="CL-99999")
    third = await opened(lea, "plum", claim="CL-48213")
    for client, names in ((lea, True), (mira, False)):
        found = (await read(client, f"/v1/tickets/{one}/duplicates"))["items"]
        told = [e["detail"] for each in found if each["ticket"] == third for e in each["evidence"]]
        assert any("claim CL-48213" in each for each in told) is names
    merged = (await mira.post(f"/v1/tickets/{one}/merge", json={"sources": [other]})).json()
    assert (merged["conflicts"], merged["ticket"]["custom"]) == ([], {})
    said = (await read(mira, f"/v1/tickets/{one}/timeline"))["items"]
    assert "claim" not in str(said)
    assert "claim" in str((await read(lea, f"/v1/tickets/{one}/timeline"))["items"])


async def test_V5_a_source_may_set_what_agents_may_not_see_and_a_rule_may_not(
    mira: httpx.AsyncClient, lea: httpx.AsyncClient, intake: Intake
) -> None:
    await tell(intake, TicketRequested(conversation_id="told", subject="From a shop", custom={"risk": "low"}))
    (row,) = await intake.fetch("SELECT ticket_id FROM conversations WHERE conversation_id = 'told'")
    id = row["ticket_id"]
    routed = TicketRouted(decision_id="d1", epoch=0, fields=RoutedFields(custom={"risk": "high", "order": "C-3"}))
    await hear(intake, [fact(routed, id, 1, intake)])
    assert (await read(lea, f"/v1/tickets/{id}"))["custom"] == {"risk": "low", "order": "C-3"}
    assert (await read(mira, f"/v1/tickets/{id}"))["custom"] == {"order": "C-3"}
    assert "risk" not in str((await read(mira, f"/v1/tickets/{id}/timeline"))["items"])


async def test_V5_the_list_of_fields_says_who_may(mira: httpx.AsyncClient) -> None:
    found = {each["key"]: (each["see"], each["change"]) for each in (await read(mira, "/v1/fields"))["fields"]}
    assert found == {"order": ("agent", "agent"), "refund": ("agent", "lead"), "claim": LEADS, "risk": LEADS}
