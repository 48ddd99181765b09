"""The ticket of every Message-ID, without races (decisions 18), and where a ticket went (behaviour H-4, H-5)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from libs.chassis.transaction import Connection

DEEPEST = 50

CLAIM = """
INSERT INTO mail_ids (message_id, ticket_id)
SELECT message_id, ticket_id FROM unnest($1::text[], $2::text[]) AS x(message_id, ticket_id)
ON CONFLICT DO NOTHING
"""
TICKETS = """
SELECT message_id, ticket_id, c.identity IS NOT NULL AS is_seen
FROM mail_ids LEFT JOIN mail_claims c USING (message_id) WHERE message_id = ANY($1::text[])
"""
MOVE = """
UPDATE mail_ids SET ticket_id = x.now FROM unnest($1::text[], $2::text[], $3::text[]) AS x(message_id, before, now)
WHERE mail_ids.message_id = x.message_id AND mail_ids.ticket_id = x.before
"""
ROOTS = f"""
WITH RECURSIVE way(start, id, depth) AS (
    SELECT id, id, 0 FROM unnest($1::text[]) AS x(id)
    UNION ALL
    SELECT way.start, coalesce(tickets.merged_into, next.id), way.depth + 1
    FROM way JOIN tickets ON tickets.id = way.id
    LEFT JOIN LATERAL (
        SELECT f.id FROM tickets f WHERE f.follow_up_of = tickets.id ORDER BY f.id DESC LIMIT 1
    ) next ON tickets.merged_into IS NULL AND tickets.status_category = 'closed'
    WHERE coalesce(tickets.merged_into, next.id) IS NOT NULL AND way.depth < {DEEPEST})
SELECT DISTINCT ON (start) start, id FROM way ORDER BY start, depth DESC
"""
BY_REFERENCE = "SELECT reference, id FROM tickets WHERE reference = ANY($1::text[])"


@dataclass(frozen=True, slots=True)
class Holder:
    """The ticket of an id. is_seen: a mail came in under this id; else others only mention it."""

    ticket_id: str
    is_seen: bool


class Threads:
    """The threads of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def claim(self, proposed: Mapping[str, str], also: Collection[str] = ()) -> dict[str, "Holder"]:
        """Give each id its proposed ticket unless it has one; who holds each of them, and of `also`, now.

        Whoever else claims one of the ids at the same time is waited for.
        """
        claims = sorted(proposed.items())
        if claims:
            await self._connection.execute(CLAIM, [id for id, _ in claims], [ticket for _, ticket in claims])
        wanted = [*proposed, *(id for id in also if id not in proposed)]
        if not wanted:
            return {}
        rows = await self._connection.fetch(TICKETS, wanted)
        return {row["message_id"]: Holder(row["ticket_id"], row["is_seen"]) for row in rows}

    async def move(self, moves: Iterable[tuple[str, str, str]]) -> None:
        """Change the ticket of ids: (id, ticket before, ticket now)."""
        rows = sorted({move for move in moves if move[1] != move[2]})
        if rows:
            await self._connection.execute(MOVE, *map(list, zip(*rows, strict=True)))

    async def roots(self, tickets: Collection[str]) -> dict[str, str]:
        """The ticket that takes what is written to each of these: past merges, and past a closed one to its latest
        follow-up. A chain without an end leads to a ticket that is merged itself.
        """
        if not tickets:
            return {}
        return {row["start"]: row["id"] for row in await self._connection.fetch(ROOTS, sorted(tickets))}

    async def referred(self, references: Collection[str]) -> dict[str, str]:
        """Tickets by the short number that people quote."""
        if not references:
            return {}
        rows = await self._connection.fetch(BY_REFERENCE, sorted(references))
        return {row["reference"]: row["id"] for row in rows}
