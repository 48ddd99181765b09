"""Who takes part in a ticket by mail (behaviour H-2)."""

from collections.abc import Collection, Iterable, Sequence

from libs.chassis.transaction import Connection

MOST_NEW = 50

THERE = """
SELECT p.ticket_id, p.email
FROM participants p JOIN unnest($1::text[], $2::text[]) AS x(ticket_id, email) USING (ticket_id, email)
"""
KNOWN = """
SELECT tickets.id AS ticket_id, customers.email, NULL AS agent
FROM tickets JOIN customers ON customers.id = tickets.customer_id WHERE tickets.id = ANY($1::text[])
UNION ALL
SELECT NULL, email, key FROM agents WHERE active AND email = ANY($2::text[])
"""
ADD = """
INSERT INTO participants (ticket_id, email)
SELECT ticket_id, email FROM unnest($1::text[], $2::text[]) AS x(ticket_id, email) ON CONFLICT DO NOTHING
"""
# whoever is there already stays, whatever leaves
UNITE = """
INSERT INTO participants (ticket_id, email, via)
SELECT x.target, coming.email, x.source FROM unnest($1::text[], $2::text[]) AS x(source, target)
JOIN LATERAL (
    SELECT p.email FROM participants p WHERE p.ticket_id = x.source
    UNION
    SELECT c.email FROM tickets t JOIN customers c ON c.id = t.customer_id
    WHERE t.id = x.source AND c.email IS NOT NULL
) AS coming ON true
ON CONFLICT DO NOTHING
"""
PART = "DELETE FROM participants WHERE ticket_id = ANY($2::text[]) AND via = $1"


class Participants:
    """The participants as one batch knows them; `save` writes those that were added."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: set[tuple[str, str]] = set()
        self._added: dict[tuple[str, str], None] = {}
        self.agents: dict[str, str] = {}
        """Keys of agents by address, of those that were loaded."""

    async def load(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Learn which of these (ticket, address) take part, who the tickets' requesters are, and who is an agent."""
        rows = sorted(set(pairs))
        if not rows:
            return
        tickets, emails = zip(*rows, strict=True)
        there = await self._connection.fetch(THERE, list(tickets), list(emails))
        known = await self._connection.fetch(KNOWN, sorted(set(tickets)), sorted(set(emails)))
        self._known |= {(row["ticket_id"], row["email"]) for row in (*there, *known)}
        self.agents |= {row["email"]: row["agent"] for row in known if row["agent"] is not None}

    def has(self, ticket: str, email: str) -> bool:
        """Whether this address takes part."""
        return (ticket, email) in self._known

    def add(self, ticket: str, emails: Collection[str]) -> None:
        """Addresses that take part from now on; at most 50 of one mail."""
        for email in list(emails)[:MOST_NEW]:
            if email and (ticket, email) not in self._known:
                self._known.add((ticket, email))
                self._added[ticket, email] = None

    async def save(self) -> None:
        """Store those that are new."""
        rows = sorted(self._added)
        if rows:
            await self._connection.execute(ADD, *map(list, zip(*rows, strict=True)))

    async def unite(self, merged: Sequence[tuple[str, str]]) -> None:
        """Who takes part in a merged ticket takes part in its target: (source, target) (behaviour M-3)."""
        if merged:
            await self._connection.execute(UNITE, *map(list, zip(*merged, strict=True)))

    async def part(self, source: str, targets: Sequence[str]) -> None:
        """Who takes part in these tickets only because the source was merged does not any more (behaviour M-2)."""
        await self._connection.execute(PART, source, list(targets))
