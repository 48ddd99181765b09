"""Statements that travel together, on a real server: each does all it says, numbers and facts included."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest

from libs.chassis.process import Process
from libs.chassis.settings import Settings
from libs.chassis.writes import Write, fetch_together, together, write_together
from libs.contracts.sla import TargetsSet
from tests.support.stack import Stack, until
from tests.support.toy import service as toy

ADD = "INSERT INTO colours (name, shade) SELECT * FROM unnest($1::text[], $2::int[])"
DARKEN = "UPDATE colours SET shade = shade + $2 WHERE name = $1"
FORGET = "DELETE FROM colours WHERE name = $1"


@dataclass
class Palette:
    """A table of its own."""

    connection: "asyncpg.Connection[asyncpg.Record]"

    async def shades(self) -> dict[str, int]:
        return {row["name"]: row["shade"] for row in await self.connection.fetch("SELECT name, shade FROM colours")}


@pytest.fixture
async def palette(stack: Stack) -> AsyncIterator[Palette]:
    connection = await asyncpg.connect(stack.database.url)
    await connection.execute("CREATE TEMPORARY TABLE colours (name text PRIMARY KEY, shade int NOT NULL)")
    yield Palette(connection)
    await connection.close()


async def test_statements_that_travel_together_each_do_all_they_say(palette: Palette) -> None:
    await write_together(palette.connection, [Write(ADD, (["red", "blue"], [1, 2]))])
    writes = [Write(DARKEN, ("red", 10)), Write(ADD, (["green"], [3])), Write(FORGET, ("blue",))]
    await write_together(palette.connection, writes)
    assert await palette.shades() == {"red": 11, "green": 3}


async def test_the_last_of_them_returns_its_rows(palette: Palette) -> None:
    last = Write("WITH made AS (INSERT INTO colours VALUES ($1, $2) RETURNING name) SELECT name FROM made", ("grey", 7))
    rows = await fetch_together(palette.connection, [Write(ADD, (["red"], [1]))], last)
    assert [row["name"] for row in rows] == ["grey"]
    assert await palette.shades() == {"red": 1, "grey": 7}


async def test_one_that_fails_undoes_them_all(palette: Palette) -> None:
    writes = [Write(ADD, (["red"], [1])), Write(ADD, (["black", "black"], [0, 0]))]
    with pytest.raises(asyncpg.UniqueViolationError):
        await write_together(palette.connection, writes)
    assert await palette.shades() == {}


def test_parameters_are_counted_on() -> None:
    joined = together(("DELETE FROM a WHERE x = $1 OR y = $2", "DELETE FROM b WHERE x = $1"), "SELECT $1, $10")
    assert joined.splitlines() == [
        "WITH write_0 AS (DELETE FROM a WHERE x = $1 OR y = $2),",
        "write_1 AS (DELETE FROM b WHERE x = $3)",
        "SELECT $4, $13",
    ]


@pytest.fixture
async def sla(stack: Stack) -> AsyncIterator[Process]:
    await stack.provision(toy.HEARS, toy.versions)
    await stack.configure({"anything.yaml": {}})
    async with stack.running(toy.Listener().service(stack.settings(Settings, "sla"))) as process:
        yield process


async def test_2_facts_that_the_chassis_counts_are_numbered_in_the_order_they_were_said(sla: Process) -> None:
    said = TargetsSet(targets=[], final=False)
    async with sla.transactions.begin() as transaction:
        for number, subject in enumerate(["one", "two", "one", "one"]):
            transaction.say(said, subject, cause=f"cause/{number}")
    async with sla.transactions.begin() as transaction:
        transaction.say(said, "one", cause="cause/4")
    async with sla.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT subject, n, cause FROM events WHERE subject = ANY('{one,two}') ORDER BY id"
        )
    assert [tuple(row) for row in rows] == [
        ("one", 1, "cause/0"),
        ("two", 1, "cause/1"),
        ("one", 2, "cause/2"),
        ("one", 3, "cause/3"),
        ("one", 4, "cause/4"),
    ]


async def test_3_what_another_process_committed_and_never_published_is_found_in_the_outbox(sla: Process) -> None:
    async with sla.database.connection() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO events (subject, n, type, occurred_at, config_version, data) SELECT 'lost', n, "
            "'signalbox.sla.targets-set.v1', clock_timestamp(), 1, '{\"targets\": [], \"final\": false}' "
            "FROM generate_series(1, 700) AS n"
        )
        await connection.execute("INSERT INTO outbox (facts) VALUES (700)")
        assert await connection.fetchval("SELECT sum(facts) FROM outbox") >= 700
    async with sla.database.connection() as connection:

        async def is_empty() -> bool:
            return not await connection.fetchval("SELECT count(*) FROM outbox")

        await until(is_empty)


async def test_a_transaction_numbers_all_of_its_facts_or_none(sla: Process) -> None:
    said = TargetsSet(targets=[], final=False)
    async with sla.transactions.begin() as transaction:
        transaction.say(said, "mixed")
        with pytest.raises(ValueError, match="all of its facts or none"):
            transaction.say(said, "mixed", n=7)
