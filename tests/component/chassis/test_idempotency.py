"""A POST that is sent again does its work once and gets the first answer, over real transactions."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, TypeAlias

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from libs.chassis.errors import Invalid, Unanswered
from libs.chassis.http import build_app
from libs.chassis.idempotency import Answer, Asked, asked, idempotent, purge
from libs.chassis.tables import chassis_metadata
from libs.chassis.tokens import Access, Role, require
from tests.component.chassis.conftest import Door, until
from tests.support.servers import Database

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


def make_tables(database: Database) -> None:
    table = chassis_metadata().tables["idempotency"]
    database.execute(str(CreateTable(table).compile(dialect=postgresql.dialect())))  # type: ignore[no-untyped-call]
    database.execute("CREATE TABLE things (id bigint GENERATED ALWAYS AS IDENTITY, name text NOT NULL)")


@pytest.fixture(scope="module")
def database_template() -> object:
    return make_tables


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[Pool]:
    async with asyncpg.create_pool(database.url, min_size=1, max_size=5) as pool:
        await pool.execute("TRUNCATE idempotency, things RESTART IDENTITY")
        yield pool


class Thing(BaseModel):
    name: str


class Made(BaseModel):
    id: int


class Workshop:
    """A service that makes things, and that can be held in the middle of it."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()

    async def make(self, thing: Thing, asked: Asked) -> Response:
        async with self.pool.acquire() as connection, connection.transaction():
            async with idempotent(connection, asked) as once:
                if once.answer is None:
                    made = await self._make(connection, thing)
                    once.answer = Answer.of(201, made, location=f"/v1/things/{made.id}", etag='"1"')
            return once.response()

    async def _make(self, connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]", thing: Thing) -> Made:
        number = await connection.fetchval("INSERT INTO things (name) VALUES ($1) RETURNING id", thing.name)
        self.begun.set()
        await self.go_on.wait()
        if thing.name == "bad":
            raise Invalid("body.name", "is bad")
        return Made(id=number)

    async def count(self) -> int:
        return int(await self.pool.fetchval("SELECT count(*) FROM things"))


@pytest.fixture
async def workshop(pool: Pool) -> Workshop:
    return Workshop(pool)


@pytest.fixture
async def client(door: Door, workshop: Workshop) -> AsyncIterator[httpx.AsyncClient]:
    router = APIRouter()

    @router.post("/v1/things", dependencies=[Depends(require(Role.AGENT))])
    async def make(thing: Thing, asked: Annotated[Asked, Depends(asked)]) -> Response:
        return await workshop.make(thing, asked)

    app = build_app("things", "1", [router], access=Access(door.tokens), metrics=door.metrics)
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": f"Bearer {door.token()}", "Idempotency-Key": "key-1"}
    async with httpx.AsyncClient(transport=transport, base_url="http://things", headers=headers) as client:
        yield client


async def test_the_same_request_again_gets_the_first_answer(client: httpx.AsyncClient, workshop: Workshop) -> None:
    first = await client.post("/v1/things", json={"name": "lamp"})
    again = await client.post("/v1/things", json={"name": "lamp"})

    assert (first.status_code, first.json()) == (201, {"id": 1})
    assert (again.status_code, again.content) == (201, first.content)
    assert (again.headers["Location"], again.headers["ETag"]) == ("/v1/things/1", '"1"')
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await workshop.count() == 1


async def test_another_body_under_the_same_key_is_a_conflict(client: httpx.AsyncClient, workshop: Workshop) -> None:
    await client.post("/v1/things", json={"name": "lamp"})

    answer = await client.post("/v1/things", json={"name": "chair"})

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:signalbox:problem:key-reused")
    assert await workshop.count() == 1


async def test_a_request_in_flight_answers_that_it_is(client: httpx.AsyncClient, workshop: Workshop) -> None:
    workshop.go_on.clear()
    first = asyncio.create_task(client.post("/v1/things", json={"name": "lamp"}))
    await until(workshop.begun)

    async with asyncio.timeout(10):
        meanwhile = await client.post("/v1/things", json={"name": "lamp"})
    workshop.go_on.set()

    assert (meanwhile.status_code, meanwhile.headers["Retry-After"]) == (409, "1")
    assert meanwhile.json()["type"] == "urn:signalbox:problem:in-flight"
    assert (await first).status_code == 201
    assert (await client.post("/v1/things", json={"name": "lamp"})).json() == (await first).json()
    assert await workshop.count() == 1


async def test_twenty_at_once_do_the_work_once(client: httpx.AsyncClient, workshop: Workshop) -> None:
    answers = await asyncio.gather(*(client.post("/v1/things", json={"name": "lamp"}) for _ in range(20)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert next(answer.json() for answer in answers if answer.status_code == 201) == {"id": 1}
    assert await workshop.count() == 1


async def test_a_refused_request_may_be_corrected_under_the_same_key(
    client: httpx.AsyncClient, workshop: Workshop
) -> None:
    assert (await client.post("/v1/things", json={"name": "bad"})).status_code == 422
    assert await workshop.count() == 0

    assert (await client.post("/v1/things", json={"name": "good"})).status_code == 201


async def test_callers_do_not_share_keys(client: httpx.AsyncClient, workshop: Workshop, door: Door) -> None:
    await client.post("/v1/things", json={"name": "lamp"})

    tom = {"Authorization": f"Bearer {door.token(subject='tom')}"}
    answer = await client.post("/v1/things", json={"name": "lamp"}, headers=tom)

    assert answer.json() == {"id": 2}


async def test_without_a_key_each_request_is_new(client: httpx.AsyncClient, workshop: Workshop) -> None:
    del client.headers["Idempotency-Key"]
    for _ in range(2):
        assert (await client.post("/v1/things", json={"name": "lamp"})).status_code == 201

    assert await workshop.count() == 2


@pytest.mark.parametrize("key", ["", "two words", "x" * 256])
async def test_a_key_that_is_no_key_is_named(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.post("/v1/things", json={"name": "lamp"}, headers={"Idempotency-Key": key})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "header.Idempotency-Key"


async def test_after_a_day_the_key_is_free_and_the_answer_is_gone(
    client: httpx.AsyncClient, workshop: Workshop, pool: Pool
) -> None:
    await client.post("/v1/things", json={"name": "lamp"})
    await pool.execute("UPDATE idempotency SET created_at = clock_timestamp() - interval '24 hours'")

    assert (await client.post("/v1/things", json={"name": "chair"})).json() == {"id": 2}
    async with pool.acquire() as connection:
        assert await purge(connection) == 0
        await connection.execute("UPDATE idempotency SET created_at = clock_timestamp() - interval '24 hours'")
        assert await purge(connection) == 1


async def test_a_block_that_forgets_its_answer_leaves_nothing_behind(pool: Pool) -> None:
    question = Asked("mia", "key-1", "hash")
    async with pool.acquire() as connection:
        with pytest.raises(Unanswered):
            async with connection.transaction(), idempotent(connection, question):
                await connection.execute("INSERT INTO things (name) VALUES ('lamp')")

        assert await connection.fetchval("SELECT count(*) FROM things") == 0
