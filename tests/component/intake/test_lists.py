"""Lists and views over HTTP: conditions as text, folders with counts, views that people keep."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from libs.chassis.clock import real_now
from libs.chassis.process import Process
from libs.chassis.tokens import Role
from libs.contracts.routing import AgentChanged, Presence
from services.intake.handlers import handle
from tests.component.intake.conftest import Intake
from tests.component.intake.desk_process import client_of, desk_process
from tests.component.intake.talk import fact
from tests.support.stack import Stack, until


@pytest.fixture(scope="module")
async def process(stack: Stack, intake: Intake) -> AsyncIterator[Process]:
    async with desk_process(stack, intake, {}) as process:
        member = AgentChanged(key="mira", active=True, presence=Presence.ONLINE, queues=("billing",))
        async with process.transactions.begin() as transaction:
            await handle([fact(member, "agent:mira", 2, intake)], transaction)
        yield process


@pytest.fixture
async def tom(stack: Stack, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(stack, process, "tom") as client:
        yield client


@pytest.fixture
async def lead(stack: Stack, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(stack, process, "lea", Role.LEAD) as client:
        yield client


@pytest.fixture
async def program(stack: Stack, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    token = process.resources.tokens.issue("shop", Role.SYSTEM, real_now(), lifetime=timedelta(hours=1))
    async with stack.client(process, token) as client:
        yield client


async def opened(client: httpx.AsyncClient, subject: str, **fields: Any) -> dict[str, Any]:
    body = {"subject": subject, "text": "hello", "customer": {"name": "Ada", "email": "ada@example.org"}} | fields
    response = await client.post("/v1/tickets", json=body)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


async def subjects(client: httpx.AsyncClient, **query: Any) -> set[str]:
    response = await client.get("/v1/tickets", params=query)
    assert response.status_code == 200, response.text
    return {each["subject"] for each in response.json()["items"]}


async def refused(client: httpx.AsyncClient, **query: Any) -> dict[str, str]:
    response = await client.get("/v1/tickets", params=query)
    assert response.status_code == 422, response.text
    fault: dict[str, str] = response.json()["errors"][0]
    return fault


async def test_V1_a_list_takes_a_condition_as_text(mira: httpx.AsyncClient) -> None:
    await opened(mira, "free", tags=["vip", "lists"])
    await opened(mira, "mine", assignee="mira", priority="high", queue="billing", tags=["lists"])
    await opened(mira, "other", assignee="tom", priority="urgent", queue="technical", tags=["lists"])
    here = "tags has lists and "
    assert await subjects(mira, where=here + "status = open and (priority in (high, critical) or tags has vip)") == {
        *("free", "mine", "other")
    }
    assert await subjects(mira, where=here + "priority != high") == {"free", "other"}
    assert await subjects(mira, where=here + "assignee = $me") == {"mine"}
    assert await subjects(mira, where=here + "queue in $my_queues") == {"mine"}
    assert await subjects(mira, where=here + "created_at < -2d") == set()
    assert await subjects(mira, where=here + "created_at within -1h and assignee is unset") == {"free"}
    assert await subjects(mira, where=here + "body contains hello and not subject matches '^m'") == {"free", "other"}
    assert await subjects(mira) >= {"free", "mine", "other"}
    assert await subjects(mira, where="tags has lists", view="critical-and-high", queue="technical") == {"other"}


async def test_another_word_for_a_status_means_the_same(mira: httpx.AsyncClient) -> None:
    ticket = await opened(mira, "done", tags=["alias"])
    await mira.patch(f"/v1/tickets/{ticket['id']}", json={"status": "solved"})
    assert await subjects(mira, tag="alias", status="solved") == {"done"}
    assert await subjects(mira, where="tags has alias and status in (solved, attic)") == {"done"}
    assert await subjects(mira, where="tags has alias and not (status = solved or routed = true)") == set()


async def test_a_condition_that_cannot_be_read_names_the_place(
    mira: httpx.AsyncClient, program: httpx.AsyncClient
) -> None:
    assert (await refused(mira, where="priority = huge"))["reason"].startswith("at 12, 'huge'")
    assert (await refused(mira, where="status = open and"))["field"] == "query.where"
    assert (await refused(mira, priority="huge"))["field"] == "query.priority"
    assert "no agent" in (await refused(program, where="assignee = $me"))["reason"]
    assert "no agent" in (await refused(program, view="my-open"))["reason"]
    assert "GET /v1/suspended-mail" in (await refused(mira, view="suspended-mail"))["reason"]


async def test_a_cursor_that_was_made_up_is_refused(mira: httpx.AsyncClient) -> None:
    for number in range(3):
        await opened(mira, f"cursor {number}", category="question", tags=["cursor"])
    page = (await mira.get("/v1/tickets", params={"tag": "cursor", "limit": 2})).json()
    assert page["next"] is not None
    assert (await refused(mira, cursor=page["next"][:-1]))["field"] == "cursor"


async def folders(client: httpx.AsyncClient) -> dict[str, Any]:
    response = await client.get("/v1/views")
    assert response.status_code == 200, response.text
    return {view["key"]: view for view in response.json()["items"]}


async def test_V4_everybody_has_the_folders_each_with_its_count(
    mira: httpx.AsyncClient, program: httpx.AsyncClient
) -> None:
    ticket = await opened(mira, "counted", assignee="mira", priority="critical")
    found = await folders(mira)
    assert list(found)[:9] == [
        *("unassigned", "my-open", "all-open", "pending", "solved", "critical-and-high", "waiting", "breaching-next"),
        "no-owner",
    ]
    assert list(found)[-1] == "suspended-mail"
    for key, view in found.items():
        if key != "suspended-mail":
            listed = (await mira.get(view["url"], params={"view": key, "limit": 200})).json()["items"]
            assert (len(listed), False) == (view["count"], view["count_capped"]), key
    before = found["my-open"]["count"]
    await mira.patch(f"/v1/tickets/{ticket['id']}", json={"status": "waiting_on_internal"})
    # counts may be two seconds old

    async def settled() -> bool:
        now = await folders(mira)
        return bool(now["my-open"]["count"] == before - 1 and now["waiting"]["count"] == found["waiting"]["count"] + 1)

    await until(settled)
    assert "my-open" not in await folders(program)
    assert (await mira.get("/v1/views", params={"counts": "false"})).json()["items"][0]["count"] is None


MINE = {"label": "Mine, urgent", "where": "assignee = $me and priority = critical", "sort": "created_at"}


async def kept(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    response = await client.post("/v1/views", json=MINE | fields)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_V5_a_personal_view_is_its_owners_alone(mira: httpx.AsyncClient, tom: httpx.AsyncClient) -> None:
    await opened(mira, "toms", assignee="tom", priority="critical", tags=["personal"])
    await opened(mira, "miras", assignee="mira", priority="critical", tags=["personal"])
    view = await kept(mira, columns=["subject", "email", "custom.order_number"])
    assert (view["scope"], view["where"], view["may_change"]) == ("personal", MINE["where"], True)
    assert await subjects(mira, view=view["key"], tag="personal") == {"miras"}
    assert view["key"] in await folders(mira)
    assert view["key"] not in await folders(tom)
    url = f"/v1/views/{view['key']}"
    assert (await tom.get(url)).status_code == 404
    assert (await tom.delete(url)).status_code == 404
    assert "neither" in (await refused(tom, view=view["key"]))["reason"]
    assert (await mira.get(url)).json()["count"] == 2 - (len(await subjects(mira, view=view["key"])) == 1)


async def test_V5_leads_set_up_the_views_of_queues_and_of_everybody(
    mira: httpx.AsyncClient, tom: httpx.AsyncClient, lead: httpx.AsyncClient
) -> None:
    assert (await mira.post("/v1/views", json=MINE | {"scope": "global"})).status_code == 403
    everybodys = await kept(lead, scope="global", label="VIP", where="tags has vip")
    billings = await kept(lead, scope="queue", queue="billing", label="Billing", where="queue = billing")
    assert {everybodys["key"], billings["key"]} <= set(await folders(mira))
    assert everybodys["key"] in await folders(tom)
    assert billings["key"] not in await folders(tom)
    url = f"/v1/views/{billings['key']}"
    assert (await mira.patch(url, json={"label": "Ours"})).status_code == 403
    assert (await mira.delete(url)).status_code == 403
    changed = await lead.patch(url, json={"where": "queue = billing and routed = true"}, headers={"If-Match": 'W/"1"'})
    assert (changed.json()["label"], changed.json()["version"], changed.headers["etag"]) == ("Billing", 2, '"2"')
    assert changed.json()["where"] == "queue = billing and routed = true"
    assert (await lead.patch(url, json={"label": "x"}, headers={"If-Match": '"1"'})).status_code == 412
    assert (await lead.delete(url)).status_code == 204
    assert (await lead.get(url)).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"where": "status ="}, "body.where"),
        ({"where": None, "condition": {"field": "status"}}, "body.condition"),
        ({"where": None}, "body"),
        ({"condition": {"field": "status", "operator": "is_set"}}, "body"),
        ({"scope": "queue"}, "body"),
        ({"columns": ["colour"]}, "body.columns"),
        ({"sort": "subject"}, "body.sort"),
        ({"label": ""}, "body.label"),
    ],
)
async def test_a_view_that_means_nothing_is_refused(
    mira: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    response = await mira.post("/v1/views", json={**MINE, **change})
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["field"].startswith(field)


async def test_a_view_is_kept_once_and_a_folder_never_changed(mira: httpx.AsyncClient) -> None:
    first = await mira.post("/v1/views", json=MINE, headers={"Idempotency-Key": "view"})
    again = await mira.post("/v1/views", json=MINE, headers={"Idempotency-Key": "view"})
    assert first.json() == again.json()
    tree = {"any": [{"field": "tags", "operator": "has", "value": "vip"}]}
    body = {"label": "Tree", "condition": tree}
    assert (await mira.post("/v1/views", json=body)).json()["where"] == "tags has vip"
    assert (await mira.patch("/v1/views/pending", json={"label": "x"})).status_code == 409
    assert (await mira.delete("/v1/views/suspended-mail")).status_code == 409
