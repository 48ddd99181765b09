"""Looking before a ticket is created, and suggestions on one that is there (behaviour M-5)."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from libs.chassis.process import Process
from tests.component.intake.conftest import Intake
from tests.component.intake.desk_process import desk_process
from tests.support.stack import Stack


@pytest.fixture(scope="module")
async def process(stack: Stack, intake: Intake) -> AsyncIterator[Process]:
    async with desk_process(stack, intake, {"customers.yaml": {"by_domain": True}}) as process:
        yield process


async def opened(client: httpx.AsyncClient, email: str, **fields: Any) -> str:
    body = {"subject": "Lamp broken", "text": "It is dark", "customer": {"name": "Ann Ash", "email": email}, **fields}
    response = await client.post("/v1/tickets", json=body)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def looked(client: httpx.AsyncClient, path: str = "/v1/duplicates", **asked: str) -> list[dict[str, Any]]:
    response = await client.get(path, params=asked)
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


async def test_M5_before_creating_everything_the_person_has_is_shown_the_likeliest_first(
    mira: httpx.AsyncClient,
) -> None:
    lamp = await opened(mira, "ann@one.example")
    bill = await opened(mira, "ann@one.example", subject="Invoice R-2041", text="please send it again")
    closed = await opened(mira, "ann@one.example", subject="Lamp broken")
    for status in ("resolved", "closed"):
        await mira.patch(f"/v1/tickets/{closed}", json={"status": status})
    found = await looked(mira, email="Ann@One.example", subject="Re: lamp BROKEN", text="about R-2041")
    assert [each["ticket"] for each in found] == [bill, lamp], "a number says more than a subject"
    evidence = {each["ticket"]: {one["kind"] for one in each["evidence"]} for each in found}
    assert evidence[lamp] == {"same_requester", "near_in_time", "same_subject"}
    assert evidence[bill] == {"same_requester", "near_in_time", "shared_number"}
    assert all(0 < each["score"] < 1 for each in found)
    assert {each["ticket"] for each in await looked(mira, email="ann@one.example")} == {lamp, bill}
    assert (await mira.get("/v1/duplicates", params={"subject": "Lamp"})).status_code == 422


async def test_M5_by_name_tickets_of_namesakes_are_shown_as_such(mira: httpx.AsyncClient) -> None:
    ticket = await opened(mira, "uma@names.example", customer={"name": "Uma Umber", "email": "uma@names.example"})
    (found,) = await looked(mira, name="uma umb")
    assert (found["ticket"], found["evidence"][0]["kind"]) == (ticket, "same_name")
    assert found["customer_email"] == "uma@names.example"


async def test_M5_nobody_learns_of_another_organisations_ticket(mira: httpx.AsyncClient) -> None:
    await opened(mira, "eve@rival.example", subject="Plan X-7788", text="the same words in every ticket of all of us")
    mine = await opened(
        mira, "kim@own.example", subject="Plan X-7788", text="the same words in every ticket of all of us"
    )
    assert await looked(mira, f"/v1/tickets/{mine}/duplicates") == []
    assert await looked(mira, email="new@third.example", subject="Plan X-7788") == []
    colleague = await looked(mira, email="new@own.example", subject="Plan X-7788")
    assert [each["ticket"] for each in colleague] == [mine]


async def test_M5_a_ticket_suggests_what_is_about_the_same_until_it_is_merged(mira: httpx.AsyncClient) -> None:
    first = await opened(mira, "lou@two.example", custom={})
    await opened(mira, "lou@two.example", subject="Invoice", text="please send it again")
    second = await opened(mira, "lou@two.example", subject="AW: Lamp broken", text="still dark")
    (found,) = await looked(mira, f"/v1/tickets/{second}/duplicates")
    assert (found["ticket"], {one["kind"] for one in found["evidence"]} >= {"same_subject"}) == (first, True)
    await mira.post(f"/v1/tickets/{first}/merge", json={"sources": [second]})
    assert await looked(mira, f"/v1/tickets/{first}/duplicates") == []
    assert (await mira.get("/v1/tickets/none/duplicates")).status_code == 404
