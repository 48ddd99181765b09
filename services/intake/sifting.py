"""Pages and counts of tickets, with what PostgreSQL leaves to memory decided there (behaviour V-1)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, TypeAlias

from pydantic_core import from_json

from libs.chassis.errors import Invalid
from libs.chassis.pagination import Page, encode
from libs.chassis.transaction import Connection
from libs.conditions.evaluate import compiled
from libs.conditions.reading import Reading
from libs.conditions.tree import leaves
from services.intake.folders import Sort
from services.intake.listing import SETTINGS, TicketPosition, page, position
from services.intake.questions import COLUMNS, Question, count
from services.intake.word_lookup import looked_up

FIRST_LOOK, MOST_AT_ONCE = 500, 8_000
LIST_SECONDS, COUNT_SECONDS = 2.0, 0.2
MOST_COUNTED = 1_000
BODIES = """
SELECT DISTINCT ON (ticket_id) ticket_id, left(text, 65536) AS body FROM messages
WHERE ticket_id = ANY($1::text[]) AND visibility = 'public' ORDER BY ticket_id, n, seq
"""

Row: TypeAlias = Any
"""A record of asyncpg."""


class OutOfTime(Exception):
    """Memory has looked at rows for as long as it may."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many tickets there are; capped: at least so many."""

    tickets: int
    capped: bool


async def tickets_of(
    connection: Connection, question: Question, sort: Sort, limit: int, after: TicketPosition | None
) -> Page[Row]:
    """A page of rows and its cursor. Invalid (422) where memory would have to look at too many."""
    question = await _prepared(connection, question)
    kept: list[tuple[Row, TicketPosition]] = []
    try:
        async for found in _fitting(connection, question, sort, limit + 1, after, monotonic() + LIST_SECONDS):
            kept.append(found)
            if len(kept) > limit:
                break
    except OutOfTime:
        raise Invalid("query.where", "looks into the texts of too many tickets: narrow it by status or queue") from None
    following = encode(kept[limit - 1][1]) if len(kept) > limit else None
    return Page(items=[row for row, _ in kept[:limit]], next=following)


async def count_of(connection: Connection, question: Question) -> Count:
    """How many tickets, to 1,000 exactly; with a condition on texts, or frequent words, at least so many."""
    question = await _prepared(connection, question)
    sql, arguments, exact = count(question, MOST_COUNTED + 1)
    if exact:
        row = await connection.fetchrow(sql, *arguments)
        assert row is not None
        return Count(min(row["found"], MOST_COUNTED), row["found"] > MOST_COUNTED or not row["complete"])
    seen = 0
    try:
        rows = _fitting(connection, question, Sort.NEWEST, FIRST_LOOK, None, monotonic() + COUNT_SECONDS)
        async for _ in rows:
            if seen == MOST_COUNTED:
                return Count(seen, capped=True)
            seen += 1
    except OutOfTime:
        return Count(seen, capped=True)
    return Count(seen, capped=False)


async def _prepared(connection: Connection, question: Question) -> Question:
    await connection.execute(SETTINGS)
    return (
        question if question.search is None else replace(question, words=await looked_up(connection, question.search))
    )


async def _fitting(
    connection: Connection, question: Question, sort: Sort, limit: int, after: TicketPosition | None, until: float
) -> AsyncIterator[tuple[Row, TicketPosition]]:
    """Rows in order, each with its place: of an exact query as many as asked for, else all that fit."""
    now, most = question.context.now, limit
    while True:
        query = page(question, sort, most, after)
        rows: Sequence[Row] = await connection.fetch(query.sql, *query.arguments)
        # several looks have several snapshots: the walk has that of the first
        places = {row["id"]: position(row, sort, now, after) for row in rows}
        for row in rows if query.exact else await _sifted(connection, question, rows):
            yield row, places[row["id"]]
        if query.exact or len(rows) < most:
            return
        if monotonic() > until:
            raise OutOfTime
        after, most = places[rows[-1]["id"]], min(max(most * 4, FIRST_LOOK), MOST_AT_ONCE)


async def _sifted(connection: Connection, question: Question, rows: Sequence[Row]) -> list[Row]:
    fits = compiled(question.condition)
    bodies: dict[str, str] = {}
    if any(leaf.field == "body" for leaf in leaves(question.condition)):
        found = await connection.fetch(BODIES, [row["id"] for row in rows])
        bodies = {row["ticket_id"]: row["body"] for row in found}
    return [row for row in rows if fits(Reading(_facts(row, bodies), question.context))]


def _facts(row: Row, bodies: Mapping[str, str]) -> dict[str, object]:
    facts = {name: row[name] for name in COLUMNS if name != "custom"}
    return facts | {"custom": from_json(row["custom"]), "body": bodies.get(row["id"])}
