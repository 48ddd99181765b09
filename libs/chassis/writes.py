"""Statements that travel together: what a transaction only writes goes to the server in one round trip.

A round trip costs a service and PostgreSQL as much CPU as writing dozens of rows; at a low rate it is all that a ticket
costs. PostgreSQL runs every data-modifying `WITH` query of a statement to its end, whether it is read or not.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import asyncpg

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:  # generic for the type checker only
    Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

PARAMETER = re.compile(r"\$(\d+)")


def columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    """Rows of one length, at least one of them, as the arrays that unnest takes."""
    return [list(column) for column in zip(*rows, strict=True)]


def unnested(names: Sequence[str], type_of: Callable[[str], str]) -> str:
    """`unnest($1::text[], …) AS x(…)` for columns of these names; type_of: the type in which each travels."""
    arrays = ", ".join(f"${place}::{type_of(name)}[]" for place, name in enumerate(names, 1))
    return f"unnest({arrays}) AS x({', '.join(names)})"


@dataclass(frozen=True, slots=True)
class Write:
    """A statement with its arguments."""

    statement: str
    arguments: Sequence[object]


async def write_together(connection: Connection, writes: Sequence[Write]) -> None:
    """Run them in one round trip. None may see what another does, so no two may touch the same row."""
    if writes:
        *before, last = writes
        statement, arguments = _joined(before, last)
        await connection.execute(statement, *arguments)


async def fetch_together(connection: Connection, writes: Sequence[Write], last: Write) -> list[asyncpg.Record]:
    """The same, with the rows that the last one returns."""
    statement, arguments = _joined(writes, last)
    return await connection.fetch(statement, *arguments)


def _joined(writes: Sequence[Write], last: Write) -> tuple[str, list[object]]:
    if not writes:
        return last.statement, list(last.arguments)
    statement = together(tuple(write.statement for write in writes), last.statement)
    return statement, [argument for write in (*writes, last) for argument in write.arguments]


@lru_cache(maxsize=512)
def together(writes: tuple[str, ...], last: str) -> str:
    """One statement that does what these do; `last`, which may begin with WITH itself, says what it returns."""
    queries, behind = [], 0
    for place, statement in enumerate(writes):
        queries.append(f"write_{place} AS ({_shifted(statement, behind)})")
        behind += _parameters(statement)
    final = _shifted(last, behind).lstrip()
    separator = ",\n" if final.startswith("WITH ") else "\n"
    return "WITH " + ",\n".join(queries) + separator + final.removeprefix("WITH ")


def _shifted(statement: str, by: int) -> str:
    return PARAMETER.sub(lambda found: f"${int(found[1]) + by}", statement)


def _parameters(statement: str) -> int:
    return max(map(int, PARAMETER.findall(statement)), default=0)
