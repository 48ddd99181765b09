"""The private names of asyncpg that our shortcut sets are there, and arrays arrive as they were."""

import asyncpg
import pytest
from asyncpg.protocol import protocol

from libs.chassis.array_parameters import NESTS, look_at_types_only
from tests.support.servers import Database


def test_asyncpg_still_has_what_we_set() -> None:
    assert {"IterableABC", "SizedABC", "MappingABC"} <= set(dir(protocol))


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("SELECT $1::text[]", ["a", None, "{b}"]),
        ("SELECT $1::text[]", ("a",)),
        ("SELECT $1::bigint[]", {1}),
        ("SELECT $1::bigint[]", [[1, 2], [3, 4]]),
        ("SELECT $1::bytea[]", [b"\x00\xff"]),
        ("SELECT $1::json[]", ['{"a": [1]}']),
        ("SELECT $1::text[]", []),
    ],
)
async def test_arrays_arrive_as_they_were(database: Database, sql: str, value: object) -> None:
    look_at_types_only()
    connection = await asyncpg.connect(database.url)
    try:
        assert await connection.fetchval(sql, value) == [*value]  # type: ignore[misc]
        assert await connection.fetchval("SELECT $1::text[]", {"k": 1}.keys()) == ["k"]
        with pytest.raises(asyncpg.DataError):
            await connection.fetchval("SELECT $1::text[]", "no array")
    finally:
        await connection.close()
    assert list in NESTS
