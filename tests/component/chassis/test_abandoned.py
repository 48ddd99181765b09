"""A process stopped in the middle of a statement must not keep others from its rows for ever."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from libs.chassis.abandoned import end_abandoned
from libs.chassis.database import DATABASE_TROUBLE, Database
from tests.support.stack import Stack, until

SECONDS = 0.2


@pytest.fixture
async def pool(stack: Stack) -> AsyncIterator[Database]:
    found = Database(stack.database.url, "toy")
    await found.start()
    yield found
    await found.stop()


async def _stopped(pool: Database) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection whose process stopped between preparing a statement and running it."""
    connection = await asyncpg.connect(pool.dsn)
    await connection.execute("BEGIN")
    await connection.execute("SELECT pg_advisory_xact_lock(77)")
    await connection.prepare("SELECT 1")
    return connection


async def test_what_a_stopped_process_has_locked_is_free_again(pool: Database) -> None:
    stopped = await _stopped(pool)
    async with pool.connection() as other:
        waiting = asyncio.ensure_future(other.execute("SELECT pg_advisory_lock(77)"))

        async def ended() -> bool:
            return await end_abandoned(pool, SECONDS) == 1

        await until(ended)
        await asyncio.wait_for(waiting, 5)
        await other.execute("SELECT pg_advisory_unlock(77)")
    with pytest.raises(DATABASE_TROUBLE):
        await stopped.execute("COMMIT")


async def test_whoever_works_or_waits_between_statements_is_left_alone(pool: Database) -> None:
    async with pool.pool.acquire() as between, pool.pool.acquire() as working:
        await between.execute("BEGIN")
        work = asyncio.ensure_future(working.execute("SELECT pg_sleep(0.5)"))
        while not work.done():
            assert await end_abandoned(pool, SECONDS) == 0
            await asyncio.sleep(0.05)
        await work
        await between.execute("COMMIT")
