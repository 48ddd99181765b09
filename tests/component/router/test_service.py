"""The whole router on real servers: facts in, decisions out, agents by HTTP and by the feed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from nats.aio.client import Client

from libs.chassis.http import Server
from libs.chassis.process import Process
from libs.contracts.agents import AgentPresenceReported
from libs.contracts.fact import write_headers
from services.router import app
from signalbox.services import hears
from tests.component.router.conftest import migrated
from tests.support.router_files import agent, files, queue
from tests.support.servers import Template
from tests.support.small_intake import SmallIntake
from tests.support.stack import Stack, until

AGENTS = {"ann": agent(capacity=1), "bob": agent(presence="offline")}
PATCHED: list[tuple[str, Any, str]] = []
FILES = files(AGENTS, {"general": queue(), "sales": queue(schedule="office")})


@pytest.fixture(scope="module")
async def process(stack: Stack) -> AsyncIterator[Process]:
    await stack.provision({"router": hears("router")})
    await stack.configure(FILES)
    intake = Server(stand_in_for_intake())
    serving = asyncio.ensure_future(intake.serve())
    stack.urls["intake"] = intake.url
    async with stack.running(app.build(stack.settings(app.SETTINGS, "router"))) as running:
        yield running
    intake.should_exit = True
    await serving


def stand_in_for_intake() -> FastAPI:
    """Intake's side of an assignment by hand: a version to be named, and a record of who changed what."""
    intake = FastAPI()

    @intake.get("/v1/tickets/{ticket}")
    async def get(ticket: str) -> JSONResponse:
        return JSONResponse({}, 404 if ticket == "nothing" else 200, {"ETag": '"7"'})

    @intake.patch("/v1/tickets/{ticket}")
    async def patch(ticket: str, request: Request) -> JSONResponse:
        PATCHED.append((ticket, await request.json(), request.headers["authorization"]))
        return JSONResponse({}, 200 if request.headers["if-match"] == '"7"' else 412, {"ETag": '"7"'})

    return intake


@pytest.fixture
async def client(stack: Stack, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    async with stack.client(process) as client:
        yield client


async def publish(client: Client, intake: SmallIntake, ticket: str, **fields: Any) -> None:
    """Say `opened` as intake says it."""
    fact = intake.open(ticket, **fields)
    headers = write_headers(
        speaker=fact.speaker,
        type=fact.type,
        subject=fact.subject,
        n=fact.n,
        occurred_at=fact.occurred_at,
        actor=None,
        cause=None,
        config_version=1,
        trace=None,
        state=intake.tickets[ticket].encode(),
    )
    fields_of = dict(line.split(": ", 1) for line in headers.decode().split("\r\n")[1:-2])
    await client.jetstream().publish(fact.data.nats_subject(ticket), fact.data.wire_json(), headers=fields_of)


async def why(client: httpx.AsyncClient, ticket: str) -> dict[str, Any] | None:
    answer = await client.get(f"/v1/tickets/{ticket}/why")
    return answer.json() if answer.status_code == 200 else None


async def test_an_empty_router_takes_its_agents_from_the_file_and_says_them(client: httpx.AsyncClient) -> None:
    found = (await until(lambda: agents_of(client)))["items"]
    assert [one["key"] for one in found] == ["ann", "bob", "lead"]
    said = (await client.get("/v1/events?after=0.0")).json()
    assert "queue:general" in str(said)
    assert "agent:ann" in str(said)


async def agents_of(client: httpx.AsyncClient) -> dict[str, Any] | None:
    found = (await client.get("/v1/agents")).json()
    return found if found["items"] else None


async def test_R11_a_ticket_is_routed_and_why_names_everybody(stack: Stack, client: httpx.AsyncClient) -> None:
    intake = SmallIntake(now=datetime.now(UTC))
    async with stack.admin() as broker:
        await publish(broker, intake, "t1", subject="hello")
        found = await until(lambda: why(client, "t1"))
    [decision] = found["decisions"]
    assert found["reserved_for"] == "ann"
    assert decision["assignee"] == "ann"
    assert decision["fallback"]
    assert decision["engine"] == "durable_rules"
    codes = {one["agent"]: one["code"] for one in decision["candidates"]}
    assert codes == {"ann": "chosen", "bob": "offline", "lead": "not_in_queue"}
    assert (await client.get("/v1/tickets/nothing/why")).status_code == 404


async def test_R4_presence_by_http_and_by_the_feed(stack: Stack, client: httpx.AsyncClient) -> None:
    intake = SmallIntake(now=datetime.now(UTC))
    async with stack.admin() as broker:
        await publish(broker, intake, "t2", queue="general")
        await until(lambda: why(client, "t2"))
        assert (await client.get("/v1/queues")).json()["items"][0]["waiting"] == 1
        depth = 'signalbox_queue_waiting_tickets{queue="general"} 1.0'
        await until(lambda: measured(client, depth))
        report = AgentPresenceReported(key="bob", presence="online")
        headers = {
            "ce-specversion": "1.0",
            "ce-id": "1",
            "ce-type": AgentPresenceReported.TYPE,
            "ce-source": "shop",
            "ce-time": "2026-03-02T11:00:00Z",
        }
        await broker.jetstream().publish("agents.shop.presence-reported", report.wire_json(), headers=headers)
        await until(lambda: reserved(client, "t2", "bob"))
    gone = await client.put("/v1/agents/bob/presence", json={"presence": "away"})
    assert (gone.status_code, gone.json()["presence"]) == (200, "away")


async def measured(client: httpx.AsyncClient, line: str) -> bool:
    return line in (await client.get("/metrics")).text


async def reserved(client: httpx.AsyncClient, ticket: str, agent: str) -> bool:
    found = await why(client, ticket)
    return found is not None and found["reserved_for"] == agent


async def test_agents_and_queues_are_kept_sound(client: httpx.AsyncClient) -> None:
    unknown = await client.post("/v1/agents", json={"key": "cem", "queues": ["nowhere"]})
    assert unknown.status_code == 422
    assert "nowhere" in unknown.text
    key = {"Idempotency-Key": "cem"}
    for _ in range(2):
        made = await client.post("/v1/agents", json={"key": "cem", "queues": ["sales"], "skills": ["vat"]}, headers=key)
        assert made.status_code == 201
    assert (await client.post("/v1/agents", json={"key": "cem"})).status_code == 409
    assert (await client.patch("/v1/agents/lead", json={"active": False})).status_code == 409
    changed = (await client.patch("/v1/agents/cem", json={"capacity": 3})).json()
    assert (changed["capacity"], changed["skills"]) == (3, ["vat"])
    assert (await client.patch("/v1/queues/sales", json={"lead": "nobody"})).status_code == 422
    assert (await client.patch("/v1/queues/sales", json={"schedule": "moon"})).status_code == 422
    assert (await client.patch("/v1/queues/general", json={"active": False})).status_code == 409
    assert (await client.patch("/v1/queues/sales", json={"lead": "cem"})).json()["lead"] == "cem"
    page = (await client.get("/v1/agents?limit=2")).json()
    rest = (await client.get(f"/v1/agents?limit=2&cursor={page['next']}")).json()
    assert [one["key"] for one in page["items"] + rest["items"]] == ["ann", "bob", "cem", "lead"]


async def test_R12_by_hand_is_intakes_write_in_the_callers_name_and_capacity_only_warns(
    client: httpx.AsyncClient,
) -> None:
    PATCHED.clear()
    key = {"Idempotency-Key": "by-hand"}
    for _ in range(2):
        done = await client.post("/v1/tickets/t9/assignment", json={"assignee": "ann"}, headers=key)
        assert done.status_code == 202
        assert done.json()["warnings"] == ["over_capacity"]
    assert [("t9", {"assignee": "ann"}, client.headers["authorization"])] == PATCHED
    unknown = await client.post("/v1/tickets/t9/assignment", json={"assignee": "nobody"})
    assert unknown.status_code == 422
    assert (await client.post("/v1/tickets/nothing/assignment", json={"assignee": None})).status_code == 404
    stale = await client.post("/v1/tickets/t9/assignment", json={"assignee": "ann"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412


async def test_the_rules_in_force_are_shown(client: httpx.AsyncClient) -> None:
    rules = (await client.get("/v1/rules")).json()
    assert rules["source"] == FILES["routing.yaml"]
    assert not rules["engine"]["triage"]["degraded"]


@pytest.fixture(scope="module")
def database_template() -> Template:
    return migrated
