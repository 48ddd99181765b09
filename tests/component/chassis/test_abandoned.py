"""What a stopped process has open must not keep others from its rows for as long as it sleeps."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import asyncpg
import pytest

from libs.chassis.abandoned import end_abandoned
from libs.chassis.database import DATABASE_TROUBLE, Database
from tests.support.stack import Stack, until

SECONDS = 0.2
LOCK = "SELECT pg_advisory_xact_lock(77)"


@pytest.fixture
async def pool(stack: Stack) -> AsyncIterator[Database]:
    found = Database(stack.database.url, "toy")
    await found.start()
    yield found
    await found.stop()


async def _session(pool: Database) -> "asyncpg.Connection[asyncpg.Record]":
    """A session in a transaction, of a process that will begin no further statement."""
    connection = await asyncpg.connect(pool.dsn, server_settings={"application_name": "signalbox-toy 1@stopped"})
    await connection.execute("BEGIN")
    return connection


async def _ended(pool: Database, many: int) -> None:
    found: list[int] = []

    async def ended() -> bool:
        found.append(await end_abandoned(pool, SECONDS))
        return sum(found) >= many

    await until(ended)
    assert sum(found) == many


async def test_between_preparing_and_running_a_statement(pool: Database) -> None:
    stopped = await _session(pool)
    await stopped.execute(LOCK)
    await stopped.prepare("SELECT 1")
    async with pool.connection() as other, other.transaction():
        waiting = asyncio.ensure_future(other.execute(LOCK))
        await _ended(pool, 1)
        await asyncio.wait_for(waiting, 5)
    with pytest.raises(DATABASE_TROUBLE):
        await stopped.execute("COMMIT")


async def test_all_that_the_process_has_open_goes_at_once(pool: Database) -> None:
    first, second = await _session(pool), await _session(pool)
    await first.execute(LOCK)
    waiting = asyncio.ensure_future(second.execute(LOCK))
    await _ended(pool, 2)
    await asyncio.wait({waiting})  # it may have had the lock for a moment
    for session in (first, second):
        with pytest.raises(DATABASE_TROUBLE):
            await session.execute("COMMIT")
    assert waiting.exception() is None or isinstance(waiting.exception(), DATABASE_TROUBLE)


async def test_a_process_that_begins_statements_may_wait_and_work(pool: Database) -> None:
    async with pool.pool.acquire() as between, pool.pool.acquire() as waiting, pool.pool.acquire() as working:
        await between.execute("BEGIN")
        await between.execute(LOCK)
        await waiting.execute("BEGIN")
        wait = asyncio.ensure_future(waiting.execute(LOCK))
        work = asyncio.ensure_future(working.execute("SELECT pg_sleep(0.5)"))
        while not work.done():
            assert await end_abandoned(pool, SECONDS) == 0
            await asyncio.sleep(0.05)
        await work
        await between.execute("COMMIT")
        await wait
        await waiting.execute("COMMIT")


async def test_a_statement_that_is_being_worked_on_is_left_alone(pool: Database) -> None:
    alone = await _session(pool)
    work = asyncio.ensure_future(alone.execute("SELECT pg_sleep(30)"))
    silent_since = monotonic()
    while monotonic() < silent_since + 3 * SECONDS:
        assert await end_abandoned(pool, SECONDS) == 0
        await asyncio.sleep(0.05)
    assert not work.done()
    alone.terminate()
    with pytest.raises(DATABASE_TROUBLE):
        await work
