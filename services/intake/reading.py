"""Tickets as people read them: one, its messages, its timeline. Nothing here locks anything."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from libs.chassis.errors import NotFound
from libs.chassis.transaction import Connection
from services.intake.domain.message import Message
from services.intake.domain.reference import is_reference
from services.intake.domain.weaving import woven
from services.intake.rows import MESSAGE_COLUMNS, message_of

ID_OF = "SELECT id FROM tickets WHERE reference = $1"
IDS_OF = "SELECT reference, id FROM tickets WHERE reference = ANY($1::text[])"
COLUMNS = ", ".join(f"m.{column}" for column in MESSAGE_COLUMNS)
MESSAGES = f"""
WITH RECURSIVE parts(id) AS (
    SELECT $1::text
    UNION
    SELECT tickets.id FROM parts JOIN tickets ON tickets.merged_into = parts.id)
SELECT {COLUMNS}, m.delivery, m.revisions, t.id AS part
FROM parts JOIN tickets t ON t.id = parts.id JOIN messages m ON (
    m.ticket_id = t.id OR (m.source = t.source AND m.conversation_id = t.conversation_id
    AND m.ticket_id IS DISTINCT FROM t.id AND m.at <= t.created_at))
"""
MAILS = f"""
SELECT {COLUMNS} FROM messages m
WHERE m.ticket_id = $1 AND (m.mail IS NOT NULL OR m.outbound IS NOT NULL) AND m.visibility = 'public'
ORDER BY m.n DESC LIMIT 50
"""
TIMELINE = """
SELECT * FROM (
    SELECT 'intake' AS speaker, n, type, occurred_at, actor, cause, data FROM events WHERE subject = $1
    UNION ALL
    SELECT speaker, n, type, occurred_at, actor, NULL, data FROM timeline WHERE ticket_id = $1
) AS said
WHERE $2::timestamptz IS NULL OR (occurred_at, speaker, n) > ($2, $3, $4)
ORDER BY occurred_at, speaker, n LIMIT $5
"""


@dataclass(frozen=True, slots=True)
class Read:
    """A message with what became of it. ticket: the one it belongs to; also_in: merged ones that have it as well.

    revisions: what its source made of it afterwards, in order (behaviour C-2).
    """

    message: Message
    delivery: str | None
    ticket: str
    also_in: tuple[str, ...] = ()
    revisions: tuple[dict[str, Any], ...] = ()


async def ticket_id(connection: Connection, given: str) -> str:
    """The id of a ticket named by id or by reference. NotFound for a reference nobody has."""
    if not is_reference(given):
        return given
    found: str | None = await connection.fetchval(ID_OF, given)
    if found is None:
        raise NotFound(f"there is no ticket {given}")
    return found


async def ticket_ids(connection: Connection, given: Sequence[str]) -> list[str]:
    """The same for many, in one question."""
    wanted = [name for name in given if is_reference(name)]
    rows = await connection.fetch(IDS_OF, wanted) if wanted else []
    found = {row["reference"]: row["id"] for row in rows}
    if missing := [name for name in wanted if name not in found]:
        raise NotFound(f"there is no ticket {missing[0]}")
    return [found.get(name, name) for name in given]


async def messages(connection: Connection, ticket: str) -> list[Read]:
    """The messages and notes of a ticket in order, with those of tickets merged into it (behaviour M-2); of a second
    ticket of a conversation also the transcript before.
    """
    parts: dict[str, dict[str, Message]] = {ticket: {}}
    became: dict[str, tuple[str | None, tuple[dict[str, Any], ...]]] = {}
    for row in await connection.fetch(MESSAGES, ticket):
        parts.setdefault(row["part"], {})[row["id"]] = message_of(row)
        became[row["id"]] = (row["delivery"], tuple(from_json(row["revisions"])) if row["revisions"] else ())
    for part, theirs in parts.items():
        # of two tickets of one conversation the second shows what the first has
        for other, others in parts.items():
            if other != part:
                for id in [id for id in theirs if id in others and theirs[id].ticket_id != part]:
                    del theirs[id]
    ordered = woven({part: in_order(theirs.values()) for part, theirs in parts.items()})
    return [
        Read(each.message, became[each.message.id][0], each.ticket, each.also_in, became[each.message.id][1])
        for each in ordered
    ]


async def mails(connection: Connection, ticket: str) -> list[Message]:
    """The messages of a ticket that travelled as mail, oldest first, the latest 50."""
    return [message_of(row) for row in reversed(await connection.fetch(MAILS, ticket))]


async def timeline(
    connection: Connection, ticket: str, after: tuple[datetime, str, int] | None, limit: int
) -> Sequence[dict[str, Any]]:
    """Facts about a ticket by all services, oldest first."""
    moment, speaker, n = after or (None, "", 0)
    rows = await connection.fetch(TIMELINE, ticket, moment, speaker, n, limit)
    return [{**row, "data": from_json(row["data"])} for row in rows]


def in_order(messages: Iterable[Message]) -> list[Message]:
    """By the ticket's version they came with; those of a conversation among themselves by seq (behaviour C-2)."""
    by_arrival = sorted(messages, key=lambda each: (each.n or 0, each.seq or 0, each.id))
    places: dict[tuple[str, str], list[int]] = {}
    for place, each in enumerate(by_arrival):
        if each.source is not None and each.conversation_id is not None:
            places.setdefault((each.source, each.conversation_id), []).append(place)
    ordered = list(by_arrival)
    for mine in places.values():
        for place, each in zip(
            mine, sorted((by_arrival[i] for i in mine), key=lambda each: each.seq or 0), strict=True
        ):
            ordered[place] = each
    return ordered
