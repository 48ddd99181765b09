"""Who gets a copy of each answer on a ticket: requesters of tickets that were merged into it (behaviour M-3)."""

from collections.abc import Collection, Sequence

from libs.chassis.transaction import Connection
from libs.contracts.ticket import AnswerCopy

OF = """
SELECT DISTINCT ON (copied.ticket_id, customers.email) copied.ticket_id, copied.source, customers.email
FROM copied JOIN tickets ON tickets.id = copied.source JOIN customers ON customers.id = tickets.customer_id
WHERE copied.ticket_id = ANY($1::text[]) AND NOT copied.ended
  AND customers.email IS NOT NULL AND tickets.removed IS NULL
ORDER BY copied.ticket_id, customers.email, copied.source
"""
# whoever got copies in a source gets those of the target
BRING = """
INSERT INTO copied (ticket_id, source, ended)
SELECT $1, coming.source, false FROM (
    SELECT source FROM copied WHERE ticket_id = ANY($2::text[]) AND NOT ended
    UNION
    SELECT unnest($3::text[])
) AS coming
ON CONFLICT (ticket_id, source) DO UPDATE SET ended = false
"""
END = "UPDATE copied SET ended = true WHERE ticket_id = ANY($1::text[]) AND source = ANY($2::text[])"
# those who get no more copies are among them: what has left still names them
TARGETS = "SELECT DISTINCT ticket_id FROM copied WHERE source = ANY($1::text[])"
# what has left says to whom; the others who got it stay
STRIP = """
UPDATE messages m SET outbound = jsonb_set(m.outbound, '{copies}', coalesce((
    SELECT jsonb_agg(one) FROM jsonb_array_elements(m.outbound->'copies') AS one
    WHERE NOT one->>'ticket' = ANY($1::text[])), '[]'))
FROM copied
WHERE copied.source = ANY($1::text[]) AND m.ticket_id = copied.ticket_id AND m.outbound->'copies' IS NOT NULL
"""
FORGET = "DELETE FROM copied WHERE ticket_id = ANY($1::text[]) OR source = ANY($1::text[])"


class Copies:
    """The copies as one transaction sees them; the tickets are locked by whoever asks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of(self, tickets: Collection[str]) -> dict[str, list[AnswerCopy]]:
        """Who gets a copy now, by ticket; each address once."""
        found: dict[str, list[AnswerCopy]] = {}
        for row in await self._connection.fetch(OF, sorted(tickets)) if tickets else []:
            found.setdefault(row["ticket_id"], []).append(AnswerCopy(ticket=row["source"], to=row["email"]))
        return found

    async def bring(self, target: str, sources: Sequence[str], asked: Sequence[str] = ()) -> None:
        """Tickets were merged into another: who got copies there gets them here. asked: those of the sources whose
        requesters get copies from now on.
        """
        await self._connection.execute(BRING, target, list(sources), list(asked))

    async def end(self, targets: Sequence[str], leaving: Sequence[str]) -> None:
        """Tickets left these targets: their requesters get no more copies (behaviour M-2)."""
        await self._connection.execute(END, list(targets), list(leaving))

    async def targets(self, sources: Collection[str]) -> set[str]:
        """The tickets whose answers the requesters of these get, or got, a copy of."""
        return {row["ticket_id"] for row in await self._connection.fetch(TARGETS, sorted(sources))}

    async def forget(self, tickets: Sequence[str]) -> None:
        """Tickets were erased: nothing says any more whose requesters got a copy of what (decisions 21). Their targets
        are locked as well: an answer that is being written has its copies already.
        """
        await self._connection.execute(STRIP, list(tickets))
        await self._connection.execute(FORGET, list(tickets))
