"""Bulk operations: one change for many tickets, as a job that can be watched, cancelled and killed."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from libs.chassis.process import Process
from libs.chassis.tokens import Role
from tests.component.intake.conftest import Intake
from tests.component.intake.desk_process import client_of, desk_process
from tests.support.stack import Stack, until


@pytest.fixture(scope="module")
async def process(stack: Stack, intake: Intake) -> AsyncIterator[Process]:
    async with desk_process(stack, intake, {}) as process:
        yield process


async def opened(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    response = await client.post("/v1/tickets", json={"text": "It flickers", **fields})
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


async def finished(client: httpx.AsyncClient, job: dict[str, Any]) -> dict[str, Any]:
    async def over() -> dict[str, Any] | None:
        now: dict[str, Any] = (await client.get(f"/v1/jobs/{job['id']}")).json()
        return now if now["state"] != "running" else None

    found: dict[str, Any] = await until(over)
    return found


async def asked(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    response = await client.post("/v1/tickets/bulk", json=body)
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/v1/jobs/{job['id']}"
    return job


async def test_I4_many_tickets_are_changed_and_each_that_refuses_says_why(mira: httpx.AsyncClient) -> None:
    tickets = [await opened(mira, priority="low") for _ in range(3)]
    high, closed = await opened(mira, priority="high", tags=["lamps"]), await opened(mira)
    for status in ("resolved", "closed"):
        await mira.patch(f"/v1/tickets/{closed['id']}", json={"status": status})
    names = [ticket["id"] for ticket in tickets[:2]] + [tickets[2]["reference"], high["id"], closed["id"], "nobody"]
    job = await finished(mira, await asked(mira, tickets=names, change={"priority": "high"}, add_tags=["lamps"]))
    assert (job["total"], job["done"], job["unchanged"], job["failed"]) == (6, 3, 1, 2)
    assert job["state"] == "done"
    assert {each["ticket"]: each["reason"] for each in job["failures"]}.keys() == {closed["id"], "nobody"}
    after = (await mira.get(f"/v1/tickets/{tickets[2]['id']}")).json()
    assert (after["priority"], after["tags"], after["version"]) == ("high", ["lamps"], tickets[2]["version"] + 1)
    last = (await mira.get(f"/v1/tickets/{after['id']}/timeline")).json()["items"][-1]
    assert (last["actor"], last["via"], last["cause"]) == ("agent:mira", "bulk", job["id"])


async def test_I4_what_a_list_shows_is_changed_and_noted(mira: httpx.AsyncClient) -> None:
    mine = [await opened(mira, tags=["march"], assignee="mira") for _ in range(3)]
    other = await opened(mira, tags=["march"])
    job = await asked(
        mira,
        filter={"assignee": ["me"], "tag": ["march"]},
        change={"status": "resolved"},
        remove_tags=["march"],
        note="cleared out",
    )
    assert job["total"] == 3
    assert (await finished(mira, job))["done"] == 3
    for ticket in mine:
        after = (await mira.get(f"/v1/tickets/{ticket['id']}")).json()
        assert (after["status"], after["tags"]) == ("resolved", [])
        messages = (await mira.get(f"/v1/tickets/{ticket['id']}/messages")).json()["items"]
        assert (messages[-1]["role"], messages[-1]["text"]) == ("note", "cleared out")
    assert (await mira.get(f"/v1/tickets/{other['id']}")).json()["version"] == other["version"]
    walked: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await mira.get(f"/v1/jobs/{job['id']}/tickets", params={"limit": 2, **cursor})).json()
        walked += page["items"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert {each["ticket"] for each in walked} == {ticket["id"] for ticket in mine}
    assert {each["state"] for each in walked} == {"done"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"change": {"priority": "high"}}, "body"),
        ({"tickets": ["a"], "filter": {}, "change": {"priority": "high"}}, "body"),
        ({"tickets": ["a"]}, "body"),
        ({"tickets": ["a"], "change": {"status": "sleeping"}}, "body.status"),
        ({"tickets": ["a"], "change": {"assignee": "nobody"}}, "body.assignee"),
        ({"tickets": ["a"], "change": {"status": None}}, "body.status"),
        ({"filter": {"view": "attic"}, "note": "x"}, "body.filter.view"),
    ],
)
async def test_I4_what_no_ticket_could_take_is_refused_at_once(
    mira: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    response = await mira.post("/v1/tickets/bulk", json=body)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, field)


async def test_I4_a_job_is_its_agents_own_and_a_leads_to_see(
    stack: Stack, process: Process, mira: httpx.AsyncClient
) -> None:
    ticket = await opened(mira)
    job = await asked(mira, tickets=[ticket["id"]], note="mine")
    async with client_of(stack, process, "tom") as tom, client_of(stack, process, "tom", Role.LEAD) as lead:
        assert (await tom.get(f"/v1/jobs/{job['id']}")).status_code == 404
        assert job["id"] not in [each["id"] for each in (await tom.get("/v1/jobs")).json()["items"]]
        assert (await tom.post(f"/v1/jobs/{job['id']}/cancel")).status_code == 404
        assert (await lead.get(f"/v1/jobs/{job['id']}")).json()["asked_by"] == "mira"
        assert (await lead.get("/v1/jobs", params={"limit": 1})).json()["items"][0]["id"] == job["id"]
