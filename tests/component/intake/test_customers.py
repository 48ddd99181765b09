"""Customers over HTTP: found before a ticket is created, known by several addresses, two records that are one."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from libs.chassis.process import Process
from libs.chassis.tokens import Role
from libs.contracts.conversation import (
    ContactIdentified,
    ConversationMessageAdded,
    ConversationStarted,
    TicketRequested,
)
from tests.component.intake.conftest import Intake
from tests.component.intake.desk_process import client_of, desk_process
from tests.component.intake.talk import tell
from tests.support.stack import Stack

CUSTOMERS = {
    "organisations": {"acme": {"tier": "vip", "domains": ["acme.example"]}},
    "by_domain": True,
}


@pytest.fixture(scope="module")
async def process(stack: Stack, intake: Intake) -> AsyncIterator[Process]:
    async with desk_process(stack, intake, {"customers.yaml": CUSTOMERS}) as process:
        yield process


@pytest.fixture
async def lead(stack: Stack, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(stack, process, "tom", Role.LEAD) as client:
        yield client


async def opened(client: httpx.AsyncClient, **customer: Any) -> dict[str, Any]:
    response = await client.post("/v1/tickets", json={"subject": "Lamp", "text": "dark", "customer": customer})
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


async def found(client: httpx.AsyncClient, q: str, **more: Any) -> list[str]:
    response = await client.get("/v1/customers", params={"q": q, **more})
    assert response.status_code == 200, response.text
    return [each["id"] for each in response.json()["items"]]


async def shown(client: httpx.AsyncClient, customer: str) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.get(f"/v1/customers/{customer}")).json()
    return answer


async def test_C5_people_are_found_by_email_name_phone_and_chat(mira: httpx.AsyncClient, intake: Intake) -> None:
    ticket = await opened(mira, name="Grace Hopper", email="grace@navy.example", phone="+1 (202) 555-0100")
    ada = ticket["customer"]["id"]
    await tell(
        intake,
        ConversationStarted(conversation_id="g-1", email="grace@navy.example"),
        ConversationMessageAdded(conversation_id="g-1", seq=1, role="customer", text="hello"),
        TicketRequested(conversation_id="g-1"),
        source="widget",
    )
    for q in ("grace@navy.example", "GRACE@", "grace hop", "0012025550100", "+1 202 555 0100", "g-1", "widget/g-1"):
        assert await found(mira, q) == [ada], q
    assert await found(mira, "hopper") == [], "names are found by their beginning"
    assert await found(mira, "grace", organisation="acme") == []
    person = await shown(mira, ada)
    assert [(each["kind"], each["value"]) for each in person["identities"]] == [
        ("email", "grace@navy.example"),
        ("phone", "+12025550100"),
        ("chat", "widget/g-1"),
    ]
    assert {each["channel"] for each in person["tickets"]} == {"chat", "phone"}


async def test_C5_a_caller_is_known_by_the_number_unless_the_name_is_another(mira: httpx.AsyncClient) -> None:
    first = (await opened(mira, name="Kim Lee", phone="+49 40 100"))["customer"]["id"]
    assert (await opened(mira, phone="0049 40 100"))["customer"]["id"] == first
    assert (await opened(mira, name="kim  lee", phone="+4940100"))["customer"]["id"] == first
    other = (await opened(mira, name="Sam Lee", phone="+49 40 100"))["customer"]["id"]
    assert other != first
    assert (await opened(mira, phone="+49 40 100"))["customer"]["id"] not in (first, other), "the number of two"


async def test_C5_an_address_more_leads_to_the_same_person_until_it_is_taken_away(mira: httpx.AsyncClient) -> None:
    person = (await opened(mira, name="Ida", email="ida@home.example"))["customer"]["id"]
    url = f"/v1/customers/{person}/identities"
    linked = await mira.post(url, json={"kind": "email", "value": "Ida@Work.example"})
    assert linked.status_code == 201, linked.text
    again = await opened(mira, email="ida@work.example")
    assert (again["customer"]["id"], again["customer"]["email"]) == (person, "ida@home.example")
    assert await found(mira, "ida@work") == [person]
    stranger = (await opened(mira, email="bea@work.example"))["customer"]["id"]
    conflict = await mira.post(
        f"/v1/customers/{stranger}/identities", json={"kind": "email", "value": "ida@work.example"}
    )
    assert (conflict.status_code, conflict.json()["customer"]) == (409, person)
    gone = await mira.post(f"{url}/unlink", json={"kind": "email", "value": "ida@work.example"})
    assert gone.status_code == 200
    assert (await opened(mira, email="ida@work.example"))["customer"]["id"] != person
    assert (await mira.post(f"{url}/unlink", json={"kind": "email", "value": "x@y.example"})).status_code == 404
    for kind, value in (("email", "no address"), ("chat", "without-source")):
        assert (await mira.post(url, json={"kind": kind, "value": value})).status_code == 422


async def test_C5_two_records_become_one_person_with_all_tickets_and_addresses(
    mira: httpx.AsyncClient, lead: httpx.AsyncClient
) -> None:
    one = await opened(mira, name="Lin", email="lin@one.example")
    two = await opened(mira, email="lin@two.example", phone="+49 1 23456", tier="gold")
    keep, drop = one["customer"]["id"], two["customer"]["id"]
    assert (await mira.post(f"/v1/customers/{keep}/merge", json={"sources": [drop]})).status_code == 403
    assert (await lead.post(f"/v1/customers/{keep}/merge", json={"sources": [keep]})).status_code == 422
    merged = await lead.post(f"/v1/customers/{keep}/merge", json={"sources": [drop]})
    assert merged.status_code == 200, merged.text
    person = merged.json()
    assert (person["name"], person["phone"], person["tier"]) == ("Lin", "+49123456", "gold")
    assert {each["value"] for each in person["identities"]} == {"lin@one.example", "lin@two.example", "+49123456"}
    assert {each["id"] for each in person["tickets"]} == {one["id"], two["id"]}
    assert (await shown(mira, drop))["merged_into"] == keep
    assert (await opened(mira, email="lin@two.example"))["customer"]["id"] == keep
    assert (await mira.get(f"/v1/tickets/{one['id']}")).json()["tier"] == "gold", "the ticket follows, and says so"
    assert (await lead.post(f"/v1/customers/{drop}/merge", json={"sources": [keep]})).status_code == 409


async def test_C5_organisation_and_tier_come_with_the_domain_and_open_tickets_follow_a_change(
    mira: httpx.AsyncClient,
) -> None:
    ticket = await opened(mira, email="zoe@sales.acme.example")
    assert (ticket["organisation"], ticket["tier"]) == ("acme", "vip")
    assert (await opened(mira, email="zoe@gmail.com"))["organisation"] is None
    assert (await opened(mira, email="zoe@small.example"))["organisation"] == "small.example"
    customer = ticket["customer"]["id"]
    people = (await mira.get("/v1/customers", params={"organisation": "acme"})).json()["items"]
    assert [each["id"] for each in people] == [customer]
    changed = await mira.patch(f"/v1/customers/{customer}", json={"tier": "gold", "name": "Zoe"})
    assert (changed.json()["tier"], changed.json()["name"]) == ("gold", "Zoe")
    after = (await mira.get(f"/v1/tickets/{ticket['id']}")).json()
    assert (after["tier"], after["version"]) == ("gold", ticket["version"] + 1)
    taken = await mira.patch(f"/v1/customers/{customer}", json={"email": "zoe@gmail.com"})
    assert taken.status_code == 409
    (acme,) = (await mira.get("/v1/organisations")).json()["items"]
    assert (acme["key"], acme["domains"]) == ("acme", ["acme.example"])


async def test_C5_who_was_nobody_in_the_chat_and_says_who_it_is_is_one_person(
    mira: httpx.AsyncClient, intake: Intake
) -> None:
    await tell(
        intake,
        ConversationStarted(conversation_id="v-1", name="Visitor"),
        ConversationMessageAdded(conversation_id="v-1", seq=1, role="customer", text="hello"),
        TicketRequested(conversation_id="v-1"),
        TicketRequested(conversation_id="v-1", intent_id="second"),
    )
    before = (await mira.get("/v1/conversations/chat/v-1")).json()["ticket"]
    visitor = (await mira.get(f"/v1/tickets/{before}")).json()["customer"]["id"]
    await tell(intake, ContactIdentified(conversation_id="v-1", email="vera@known.example"))
    (known,) = await found(mira, "vera@known.example")
    assert (await shown(mira, visitor))["merged_into"] == known
    assert len((await shown(mira, known))["tickets"]) == 2


async def test_C5_a_chat_of_nobody_is_linked_to_a_person(mira: httpx.AsyncClient, intake: Intake) -> None:
    await tell(
        intake,
        ConversationMessageAdded(conversation_id="n-1", seq=1, role="customer", text="hello"),
        TicketRequested(conversation_id="n-1"),
    )
    person = (await opened(mira, email="nia@known.example"))["customer"]["id"]
    url = f"/v1/customers/{person}/identities"
    assert (await mira.post(url, json={"kind": "chat", "value": "chat/n-1"})).status_code == 201
    ticket = (await mira.get("/v1/conversations/chat/n-1")).json()["ticket"]
    assert (await mira.get(f"/v1/tickets/{ticket}")).json()["customer"]["id"] == person
