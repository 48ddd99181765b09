"""Tickets of a status that was taken out of the configuration (behaviour S-8)."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from libs.chassis.configuration import Bundle
from tests.component.intake.conftest import Intake, files
from tests.component.intake.desk_process import client_of, desk_process
from tests.support.stack import Stack

OPENED = {"text": "hello", "customer": {"name": "Ada", "email": "ada@example.org"}, "tags": ["moved"]}
STATUSES = "statuses.yaml"


def without_escalated() -> dict[str, Any]:
    written = files()[STATUSES]
    left = [each for each in written["statuses"] if each["key"] != "escalated"]
    return {STATUSES: {**written, "statuses": left, "moved": {"escalated": "in_progress"}}}


@pytest.fixture(scope="module")
async def mira(stack: Stack, intake: Intake) -> AsyncIterator[httpx.AsyncClient]:
    """Has one ticket of each of three statuses, of which one was taken out afterwards."""
    async with desk_process(stack, intake, {}) as process, client_of(stack, process, "mira") as client:
        for status in ("open", "in_progress", "escalated"):
            response = await client.post("/v1/tickets", json=OPENED | {"subject": f"was {status}", "status": status})
            assert response.status_code == 201, response.text
        assert await process.resources.configuration.offer(Bundle(2, files() | without_escalated()))
        yield client


async def listed(client: httpx.AsyncClient, **query: Any) -> dict[str, str]:
    response = await client.get("/v1/tickets", params={"tag": "moved", **query})
    assert response.status_code == 200, response.text
    return {each["subject"].removeprefix("was "): each["status"] for each in response.json()["items"]}


async def test_S8_a_list_finds_tickets_by_the_status_they_were_moved_to(mira: httpx.AsyncClient) -> None:
    both = {"in_progress": "in_progress", "escalated": "in_progress"}
    assert await listed(mira, status="in_progress") == both
    assert await listed(mira, where="status = in_progress") == both
    assert await listed(mira, where="status in (in_progress, pending) and status_category = open") == both
    assert await listed(mira, where="not status != in_progress and body contains hello") == both
    assert await listed(mira, where="status != in_progress") == {"open": "open"}
    assert await listed(mira, where="status not in (in_progress, open)") == {}


async def test_S8_no_ticket_has_a_status_that_was_taken_out(mira: httpx.AsyncClient) -> None:
    assert await listed(mira, status="escalated") == {}
    assert (await listed(mira, where="status != escalated")).keys() == {"open", "in_progress", "escalated"}
    assert await listed(mira, where="status in (escalated, open)") == {"open": "open"}


async def test_S8_a_kept_view_and_its_count_follow(mira: httpx.AsyncClient) -> None:
    made = await mira.post("/v1/views", json={"label": "Worked on", "where": "tags has moved and status = in_progress"})
    assert made.status_code == 201, made.text
    assert (await mira.get(f"/v1/views/{made.json()['key']}")).json()["count"] == 2


async def test_S8_a_ticket_shows_its_present_status_everywhere_and_its_history_the_old_one(
    mira: httpx.AsyncClient,
) -> None:
    ids = {each["subject"]: each["id"] for each in (await mira.get("/v1/tickets?tag=moved")).json()["items"]}
    path = f"/v1/tickets/{ids['was escalated']}"
    shown = (await mira.get(path)).json()
    assert (shown["status"], shown["status_category"]) == ("in_progress", "open")
    person = (await mira.get(f"/v1/customers/{shown['customer']['id']}")).json()
    alike = (await mira.get(f"/v1/tickets/{ids['was open']}/duplicates")).json()
    assert {each["status"] for each in (*person["tickets"], *alike["items"])} == {"open", "in_progress"}
    changed = await mira.patch(path, json={"status": "in_progress"})
    assert changed.status_code == 200, changed.text
    facts = (await mira.get(f"{path}/timeline")).json()["items"]
    changes = [each["data"]["changes"]["status"] for each in facts if "status" in each["data"].get("changes", {})]
    assert changes == [{"old": "escalated", "new": "in_progress"}]
