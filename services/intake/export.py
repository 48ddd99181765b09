"""Every stored message, a page of tickets at a time."""

from collections.abc import AsyncIterator
from typing import Any

from pydantic_core import to_json

from libs.chassis.database import Database

PAGE = 200
NEXT = """
SELECT array_agg(id) FROM (SELECT id FROM tickets WHERE id > $1 ORDER BY id LIMIT $2) AS following
"""
# a message that came late stands where its seq says: no earlier than those before it, no later than those after
OF_TICKETS = """
WITH RECURSIVE way(start, id, depth) AS (
    SELECT id, id, 0 FROM unnest($1::text[]) AS x(id)
    UNION ALL
    SELECT way.start, tickets.merged_into, way.depth + 1 FROM way JOIN tickets ON tickets.id = way.id
    WHERE tickets.merged_into IS NOT NULL AND way.depth < 50
), living AS (SELECT DISTINCT ON (start) start, id FROM way ORDER BY start, depth DESC)
SELECT coalesce(mail->>'message_id', placed.id) AS id, living.id AS ticket_id, conversation_id, seq, kind,
    CASE WHEN visibility = 'public' THEN text ELSE '' END AS text, visibility <> 'public' AS held
FROM (
    SELECT *, max(n) OVER (PARTITION BY ticket_id, source, conversation_id ORDER BY seq, n) AS place
    FROM messages WHERE ticket_id = ANY($1::text[]) AND visibility <> 'internal'
) AS placed JOIN living ON living.start = placed.ticket_id
ORDER BY placed.ticket_id, CASE WHEN source IS NULL THEN n ELSE place END, seq, placed.id
"""
WITHOUT_TICKET = """
SELECT id, ticket_id, conversation_id, seq, kind, text, source, false AS held FROM messages
WHERE ticket_id IS NULL AND visibility = 'public' AND source IS NOT NULL
    AND (source, conversation_id, seq) > ($1, $2, $3)
ORDER BY source, conversation_id, seq LIMIT 1000
"""


async def export_messages(database: Database) -> AsyncIterator[bytes]:
    """JSON lines, messages of each ticket in order; then those of conversations without one. Notes stay inside; what a
    stranger wrote and nobody accepted is there without its words, and says so by `held` (behaviour H-2, N-1).

    `message_id` of a mail is its Message-ID, else the id of the message. `ticket` is where a merged ticket went.
    """
    last = ""
    while True:
        async with database.connection() as connection:
            ids: list[str] | None = await connection.fetchval(NEXT, last, PAGE)
            rows = await connection.fetch(OF_TICKETS, ids) if ids else []
        if not ids:
            break
        last = ids[-1]
        if rows:
            yield b"".join(map(_line, rows))
    async for lines in _without_ticket(database):
        yield lines


async def _without_ticket(database: Database) -> AsyncIterator[bytes]:
    place: tuple[str, str, int] = ("", "", -1)
    while True:
        async with database.connection() as connection:
            rows = await connection.fetch(WITHOUT_TICKET, *place)
        if not rows:
            return
        place = (rows[-1]["source"], rows[-1]["conversation_id"], rows[-1]["seq"])
        yield b"".join(map(_line, rows))


def _line(row: Any) -> bytes:
    return (
        to_json(
            {
                "message_id": row["id"],
                "ticket": row["ticket_id"],
                "conversation_id": row["conversation_id"],
                "seq": row["seq"],
                "role": row["kind"],
                "text": row["text"],
                "held": row["held"],
            }
        )
        + b"\n"
    )
