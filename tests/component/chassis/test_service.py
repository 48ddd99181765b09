"""Two toy services on real servers: what one says the other hears, once and in order."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from libs.chassis.configuration import ConfigurationHolder
from libs.chassis.parts import run_until
from libs.chassis.process import Process
from libs.chassis.settings import Settings
from libs.chassis.tokens import Role
from libs.contracts.ticket import TicketChanged
from tests.support.stack import Stack, until
from tests.support.toy import service as toy


@dataclass
class Pair:
    stack: Stack
    speaker: Process
    hearer: Process
    listener: toy.Listener

    async def seen(self, subject: str) -> list[int]:
        async with self.hearer.database.connection() as connection:
            rows = await connection.fetch("SELECT n FROM seen WHERE subject = $1 ORDER BY position", subject)
        return [row["n"] for row in rows]

    async def say(self, subject: str, *numbers: int) -> None:
        async with self.speaker.transactions.begin() as transaction:
            for n in numbers:
                await toy.say(transaction, subject, n)


@pytest.fixture(scope="module")
async def pair(stack: Stack) -> AsyncIterator[Pair]:
    await stack.provision(toy.HEARS, toy.versions)
    await stack.configure({"anything.yaml": {}})
    listener = toy.Listener()
    speaking = toy.speaking(stack.settings(Settings, "intake"))
    async with stack.running(speaking) as speaker:
        stack.urls["intake"] = speaker.url
        hearing = listener.service(stack.settings(Settings, "sla"))
        async with stack.running(hearing) as hearer:
            yield Pair(stack, speaker, hearer, listener)


async def test_facts_are_heard_once_in_order(pair: Pair) -> None:
    await pair.say("a", 1, 2)
    await pair.say("a", 3)
    assert await until(lambda: pair.seen("a")) is not None
    await until(lambda: _equals(pair, "a", [1, 2, 3]))


async def test_what_the_hearer_says_is_numbered_by_the_chassis(pair: Pair) -> None:
    await pair.say("b", 1)
    await until(lambda: _equals(pair, "b", [1]))
    async with pair.hearer.database.connection() as connection:
        rows = await connection.fetch("SELECT n, cause, type FROM events WHERE subject = 'b'")
    assert [tuple(row) for row in rows] == [(1, "b/1", "signalbox.sla.targets-set.v1")]
    await until(lambda: _outbox_is_empty(pair.hearer))


async def test_2_a_fact_after_a_gap_is_held_until_the_gap_closes(pair: Pair) -> None:
    await pair.say("c", 1)
    async with pair.speaker.transactions.begin() as transaction:
        await transaction.connection.execute("SELECT 1")
        await toy.say(transaction, "c", 3)
    await until(lambda: _held(pair.hearer, "c"))
    assert await pair.seen("c") == [1]
    await pair.say("c", 2)
    await until(lambda: _equals(pair, "c", [1, 2, 3]))
    await until(lambda: _none_held(pair.hearer))


async def test_6_a_poisoned_fact_is_parked_with_its_followers_and_its_neighbours_go_on(pair: Pair) -> None:
    pair.listener.poisoned.add("bad")
    async with pair.speaker.transactions.begin() as transaction:
        await toy.say(transaction, "bad", 1)
        await toy.say(transaction, "good", 1)
        await toy.say(transaction, "bad", 2)
    await until(lambda: _equals(pair, "good", [1]), seconds=1.5)
    parked = await until(lambda: _parked(pair, 2))
    assert [item["n"] for item in parked] == [1, 2]
    assert "cannot digest bad" in parked[0]["reason"]
    async with pair.stack.client(pair.hearer, _admin(pair.hearer)) as client:
        refused = await client.post(f"/v1/parked/{parked[0]['id']}/replay")
        assert refused.status_code == 409
        assert "cannot digest bad" in refused.json()["detail"]
        pair.listener.poisoned.clear()
        assert (await client.post(f"/v1/parked/{parked[0]['id']}/replay")).json() == {"replayed": 2}
    await until(lambda: _equals(pair, "bad", [1, 2]))


async def test_3_repair_fetches_what_the_stream_lost(pair: Pair) -> None:
    await pair.say("d", 1)
    await until(lambda: _equals(pair, "d", [1]))
    async with pair.stack.admin() as client:
        jetstream = client.jetstream()
        await until(lambda: _outbox_is_empty(pair.speaker))
        await jetstream.purge_stream("FACTS")
    # said by another process that dies before anybody could publish it: only the table knows
    async with pair.speaker.database.connection() as connection:
        await connection.execute(
            "INSERT INTO events (subject, n, type, occurred_at, config_version, data) "
            "VALUES ('d', 2, 'signalbox.ticket.note-added.v1', clock_timestamp(), 1, '{\"message_id\": \"m\"}')"
        )
    await pair.say("d", 3)
    await until(lambda: _equals(pair, "d", [1, 2, 3]))


async def test_12_a_timer_fires_once(pair: Pair) -> None:
    async with pair.speaker.transactions.begin() as transaction:
        await toy.say(transaction, "e", 1)
        transaction.say(TicketChanged(changes={}), "e", n=2)
    fired = await until(lambda: [due for due in pair.listener.fired if due.key == "e"])
    assert len(fired) == 1
    assert fired[0].due_at + timedelta(seconds=2) > pair.hearer.clock.now()


async def test_events_are_for_systems_only(pair: Pair) -> None:
    async with pair.stack.client(pair.speaker, _admin(pair.speaker)) as client:
        assert (await client.get("/v1/events")).status_code == 403
    async with pair.stack.client(pair.speaker) as client:
        page = (await client.get("/v1/events", params={"subject": "a"})).json()
    assert [item["nats_subject"].split(".")[2] for item in page["items"]] == ["opened", "note-added", "note-added"]


def _admin(process: Process) -> str:
    from libs.chassis.clock import real_now

    return process.resources.tokens.issue("test", Role.ADMIN, real_now(), lifetime=timedelta(hours=1))


async def _equals(pair: Pair, subject: str, numbers: list[int]) -> bool:
    return await pair.seen(subject) == numbers


async def _count(process: Process, sql: str, *arguments: object) -> int:
    async with process.database.connection() as connection:
        value: int = await connection.fetchval(sql, *arguments)
    return value


async def _held(process: Process, subject: str) -> bool:
    return await _count(process, "SELECT count(*) FROM held WHERE subject = $1", subject) > 0


async def _none_held(process: Process) -> bool:
    return await _count(process, "SELECT count(*) FROM held") == 0


async def _outbox_is_empty(process: Process) -> bool:
    return await _count(process, "SELECT count(*) FROM outbox") == 0


async def _parked(pair: Pair, count: int) -> list[dict[str, object]]:
    async with pair.stack.client(pair.hearer, _admin(pair.hearer)) as client:
        items: list[dict[str, object]] = (await client.get("/v1/parked")).json()["items"]
    return items if len(items) >= count else []


async def test_15_a_copied_configuration_keeps_the_order_of_what_people_wrote(pair: Pair) -> None:
    written = {"languages": {"en": 1, "de": 2}, "mailboxes": {"zoe@example.com": 1, "al@example.com": 2}}
    await pair.stack.configure({"mail.yaml": written}, version=2)
    await until(lambda: pair.hearer.configuration.current.version == 2)
    copy = ConfigurationHolder(pair.hearer.database, lambda files: None)
    await copy.load()
    assert [list(part) for part in copy.current.files["mail.yaml"].values()] == [
        list(part) for part in written.values()
    ]


async def test_1_a_part_begins_again_when_the_database_went_away_under_it() -> None:
    runs: list[int] = []

    async def fragile(over: asyncio.Event) -> None:
        runs.append(1)
        if len(runs) == 1:
            raise ConnectionRefusedError("the server is gone")

    await run_until(fragile, asyncio.Event())
    assert len(runs) == 2
