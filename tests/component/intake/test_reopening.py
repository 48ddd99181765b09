"""A customer says by a link that it is not solved (behaviour K-3)."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from libs.chassis.clock import real_now
from libs.chassis.process import Process
from libs.chassis.signed_links import SignedLinks
from libs.contracts.reopen_link import LIFETIME, PURPOSE, path
from tests.component.intake.conftest import Intake
from tests.component.intake.desk_process import desk_process
from tests.support.stack import TOKEN_SECRET, Stack

PAGE = "<p>{{ state }} {{ reference }}</p>{% if state == 'resolved' %}<form method='post'></form>{% endif %}"
OPENED = {"text": "it flickers", "subject": "Lamp", "customer": {"email": "ann@example.org"}, "assignee": "mira"}


@pytest.fixture(scope="module")
async def process(stack: Stack, intake: Intake) -> AsyncIterator[Process]:
    pages = {"templates/reopen.en.html": PAGE, "templates/reopen.de.html": PAGE.replace("<p>", "<p>Deutsch ")}
    async with desk_process(stack, intake, pages) as process:
        yield process


@pytest.fixture
async def ann(process: Process) -> AsyncIterator[httpx.AsyncClient]:
    """A browser: no token."""
    async with httpx.AsyncClient(base_url=process.url) as client:
        yield client


def link(ticket: str, *, purpose: str = PURPOSE, now: datetime | None = None) -> str:
    return f"{path(ticket)}?{SignedLinks(TOKEN_SECRET, purpose, LIFETIME).query(ticket, now or real_now())}"


async def opened(mira: httpx.AsyncClient, status: str = "resolved", **fields: Any) -> str:
    response = await mira.post("/v1/tickets", json=OPENED | fields)
    assert response.status_code == 201, response.text
    id = str(response.json()["id"])
    await put(mira, id, status)
    return id


async def put(mira: httpx.AsyncClient, id: str, status: str) -> None:
    response = await mira.patch(f"/v1/tickets/{id}", json={"status": status})
    assert response.status_code == 200, response.text


async def read(mira: httpx.AsyncClient, id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await mira.get(f"/v1/tickets/{id}")).json()
    return found


async def test_K3_following_the_link_changes_nothing_and_its_button_reopens(
    mira: httpx.AsyncClient, ann: httpx.AsyncClient
) -> None:
    id = await opened(mira)
    before = await read(mira, id)
    for _ in range(3):  # a scanner, a preview, the customer
        shown = await ann.get(link(id))
        assert (shown.status_code, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert f"<p>resolved {before['reference']}</p><form" in shown.text
    assert await read(mira, id) == before
    for _ in range(2):
        done = await ann.post(link(id))
        assert (done.status_code, done.text) == (200, f"<p>open {before['reference']}</p>")
    after = await read(mira, id)
    assert (after["status"], after["version"], after["assignee"]) == ("open", before["version"] + 1, "mira")
    assert (await ann.get(link(id))).text == done.text


async def test_K3_J1_the_history_says_that_the_customer_did_it_by_the_link(
    mira: httpx.AsyncClient, ann: httpx.AsyncClient
) -> None:
    id = await opened(mira)
    await ann.post(link(id), headers={"X-Request-ID": "click-7"})
    fact = (await mira.get(f"/v1/tickets/{id}/timeline")).json()["items"][-1]
    assert (fact["actor"], fact["via"], fact["cause"]) == ("customer", "link", "click-7")
    assert fact["data"]["reopened"] is True
    assert fact["data"]["changes"]["status"] == {"old": "resolved", "new": "open"}


async def test_K3_a_link_that_is_over_or_not_for_this_ticket_shows_and_opens_nothing(
    mira: httpx.AsyncClient, ann: httpx.AsyncClient
) -> None:
    id, other = await opened(mira), await opened(mira)
    before = await read(mira, id)
    wrong = (
        link(id, now=real_now() - 2 * LIFETIME - timedelta(seconds=1)),
        link(id, purpose="attachments"),
        link(other).replace(other, id),
        link(id).replace("signature=", "signature=x"),
    )
    for each in wrong:
        for answer in (await ann.get(each), await ann.post(each)):
            assert (answer.status_code, answer.text) == (403, "<p>over </p>"), each
    assert (await ann.post(path(id))).status_code == 401
    assert await read(mira, id) == before


async def test_K3_of_a_closed_or_removed_ticket_the_link_is_over(
    mira: httpx.AsyncClient, ann: httpx.AsyncClient
) -> None:
    closed, removed = await opened(mira), await opened(mira)
    await put(mira, closed, "closed")
    await mira.post(f"/v1/tickets/{removed}/remove", json={"reason": "spam"})
    before = [await read(mira, id) for id in (closed, removed)]
    for id in (closed, removed, "nobody"):
        for answer in (await ann.get(link(id)), await ann.post(link(id))):
            assert (answer.status_code, answer.text) == (410, "<p>over </p>")
    assert [await read(mira, id) for id in (closed, removed)] == before


async def test_K3_of_a_merged_ticket_the_link_opens_the_one_it_is_part_of(
    mira: httpx.AsyncClient, ann: httpx.AsyncClient
) -> None:
    source, target = await opened(mira), await opened(mira, "pending")
    merged = await mira.post(f"/v1/tickets/{target}/merge", json={"sources": [source]})
    assert merged.status_code == 200, merged.text
    await put(mira, target, "resolved")
    shown = await ann.post(link(source))
    assert shown.text == f"<p>open {(await read(mira, target))['reference']}</p>"
    assert (await read(mira, target))["status"] == "open"


async def test_K3_each_time_it_is_resolved_it_can_be_opened_again(
    mira: httpx.AsyncClient, ann: httpx.AsyncClient
) -> None:
    id = await opened(mira)
    for _ in range(2):
        await ann.post(link(id))
        assert (await read(mira, id))["status"] == "open"
        await put(mira, id, "resolved")


async def test_K3_the_page_is_in_the_language_of_the_ticket(
    mira: httpx.AsyncClient, ann: httpx.AsyncClient, intake: Intake
) -> None:
    id = await opened(mira)
    await intake.fetch("UPDATE tickets SET language = 'de-AT' WHERE id = $1 RETURNING id", id)
    assert (await ann.get(link(id))).text.startswith("<p>Deutsch resolved")
