"""The service that compares new tickets by itself, as agents see it (behaviour M-5)."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from libs.chassis.process import Process
from tests.component.intake.conftest import Intake, files
from tests.component.intake.desk_process import desk_process
from tests.component.intake.test_duplicates import opened
from tests.support.stack import Stack, until


@pytest.fixture(scope="module")
async def process(stack: Stack, intake: Intake) -> AsyncIterator[Process]:
    desk = files()["desk.yaml"] | {"duplicates": {"suspect": True}}
    async with desk_process(stack, intake, {"desk.yaml": desk}) as process:
        yield process


async def test_M5_what_is_suspected_stands_in_the_timeline_without_words(
    mira: httpx.AsyncClient, process: Process
) -> None:
    await until(lambda: begun(process))
    first, second = [await opened(mira, "ann@one.example") for _ in range(2)]
    (fact,) = await until(lambda: suspected(mira, second))
    assert (fact["actor"], fact["n"]) == ("system", 2)
    (suspect,) = fact["data"]["suspects"]
    assert suspect["ticket"] == first
    assert {each["kind"] for each in suspect["evidence"]} >= {"same_requester", "same_subject"}
    assert "lamp" not in str(fact["data"]).casefold()
    assert await suspected(mira, first) == []


async def begun(process: Process) -> bool:
    async with process.database.connection() as connection:
        return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM suspecting)"))


async def suspected(client: httpx.AsyncClient, ticket: str) -> list[dict[str, Any]]:
    items = (await client.get(f"/v1/tickets/{ticket}/timeline")).json()["items"]
    return [each for each in items if each["type"] == "signalbox.ticket.duplicate-suspected.v1"]
