"""A person's data over HTTP: exported, kept for a court, erased by the process itself."""

from collections.abc import AsyncIterator

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


@pytest.fixture
async def boss(stack: Stack, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(stack, process, "boss", Role.ADMIN) as client:
        yield client


async def test_D21_a_customer_is_exported_held_and_erased(boss: httpx.AsyncClient) -> None:
    body = {"subject": "Lamp", "text": "dark", "note": "inside", "customer": {"name": "Vera", "email": "v@one.example"}}
    ticket = (await boss.post("/v1/tickets", json=body)).json()
    url = f"/v1/customers/{ticket['customer']['id']}"

    document = await boss.get(f"{url}/export")
    assert document.headers["content-disposition"].startswith("attachment")
    assert [each["text"] for each in document.json()["messages"]] == ["dark"]
    assert (await boss.get(f"{url}/export", params={"notes": True})).status_code == 409

    held = await boss.put(f"{url}/legal-hold", json={"reason": "case 12"})
    assert held.json()["legal_hold"] == "case 12"
    assert (await boss.post(f"{url}/erasure")).json()["legal_hold"] == "case 12"
    noted = (await boss.get(f"{url}/export", params={"notes": True})).json()
    assert "inside" in [each["text"] for each in noted["messages"]]
    assert (await boss.put(f"{url}/legal-hold", json={"reason": None})).status_code == 200

    assert (await boss.get(f"{url}/erasure")).status_code == 404
    asked = await boss.post(f"{url}/erasure", headers={"Idempotency-Key": "erase-vera"})
    assert (asked.status_code, asked.json()["asked_by"]) == (202, "agent:boss")

    async def done() -> bool:
        return bool((await boss.get(f"{url}/erasure")).json()["state"] == "done")

    await until(done)
    person = (await boss.get(url)).json()
    assert (person["name"], person["email"], person["erased_at"] is None) == (None, None, False)
    assert (await boss.get("/v1/customers", params={"q": "v@one.example"})).json()["items"] == []
    shown = await boss.get(f"/v1/tickets/{ticket['id']}")
    assert (shown.json()["subject"], shown.json()["reference"]) == ("", ticket["reference"])
    assert (await boss.post(f"/v1/tickets/{ticket['id']}/replies", json={"text": "hello?"})).status_code == 409
    assert (await boss.patch(url, json={"name": "Vera"})).status_code == 409
    assert (await boss.post("/v1/customers/nobody/erasure")).status_code == 404
    log = (await boss.get(f"{url}/export")).json()["log"]
    assert [each["action"] for each in log] == [
        *("exported", "held", "exported", "released", "erasure_asked", "erased"),
    ]


async def test_what_cannot_be_stored_is_nobodys_name_and_no_fault_of_the_server(boss: httpx.AsyncClient) -> None:
    for path in ("/v1/customers/a%00b", "/v1/customers?q=a%00b", "/v1/duplicates?name=a%00b", "/v1/tickets/a%00b"):
        assert (await boss.get(path)).status_code == 422
    assert (await boss.post("/v1/tickets/a%00b/merge", json={"sources": ["x"]})).status_code == 422
    assert (await boss.post("/v1/customers/a%00b/erasure")).status_code == 422
