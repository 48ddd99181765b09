"""Which tickets are parts of which: up to the one that lives, down to all that were merged into it (behaviour H-5).

A chain without an end, which nobody should be able to make, ends after 50 steps.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic_core import from_json

from libs.chassis.transaction import Connection
from libs.contracts.ticket import MergeSource, TicketAbsorbed, TicketMerged
from libs.contracts.ticket_state import Scalar, StatusCategory
from services.intake.domain.merging import Gained

DEEPEST = 50

UP = f"""
WITH RECURSIVE way(start, id, depth) AS (
    SELECT id, id, 0 FROM unnest($1::text[]) AS x(id)
    UNION ALL
    SELECT way.start, tickets.merged_into, way.depth + 1 FROM way JOIN tickets ON tickets.id = way.id
    WHERE tickets.merged_into IS NOT NULL AND way.depth < {DEEPEST})
SELECT start, id FROM way ORDER BY start, depth
"""
DOWN = """
WITH RECURSIVE parts(id) AS (
    SELECT $1::text
    UNION
    SELECT tickets.id FROM parts JOIN tickets ON tickets.merged_into = parts.id)
SELECT t.id, t.created_at, t.tags, t.custom FROM parts JOIN tickets t ON t.id = parts.id WHERE t.id <> $1
ORDER BY t.created_at, t.id
"""
BEFORE_MERGE = f"""
SELECT e.ticket FROM events e
WHERE e.subject = $1
  AND e.n = (SELECT max(m.n) - 1 FROM events m WHERE m.subject = $1 AND m.type = '{TicketMerged.TYPE}')
"""
ABSORBED = f"""
SELECT e.data, e.ticket, before.ticket AS before FROM events e
JOIN events before ON before.subject = e.subject AND before.n = e.n - 1
WHERE e.subject = $1 AND e.type = '{TicketAbsorbed.TYPE}' ORDER BY e.n DESC
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A ticket that was merged into another, directly or not."""

    id: str
    created_at: datetime
    tags: frozenset[str]
    custom: dict[str, Scalar]

    @property
    def source(self) -> MergeSource:
        """As facts name it."""
        return MergeSource(id=self.id, created_at=self.created_at)


class Chains:
    """The chains as one transaction sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def ways(self, tickets: Collection[str]) -> dict[str, list[str]]:
        """From each of these the tickets up to the living one, itself first."""
        ways: dict[str, list[str]] = {}
        for row in await self._connection.fetch(UP, sorted(tickets)) if tickets else []:
            ways.setdefault(row["start"], []).append(row["id"])
        return ways

    async def living(self, tickets: Collection[str]) -> dict[str, str]:
        """The ticket that takes what is written to each of these."""
        return {start: way[-1] for start, way in (await self.ways(tickets)).items()}

    async def parts(self, ticket: str) -> list[Part]:
        """Everything that was merged into a ticket, oldest first."""
        rows = await self._connection.fetch(DOWN, ticket)
        return [Part(row["id"], row["created_at"], frozenset(row["tags"]), from_json(row["custom"])) for row in rows]

    async def status_before(self, source: str) -> tuple[str, StatusCategory] | None:
        """The status that a merged ticket had before: the log knows (behaviour M-2)."""
        state = await self._connection.fetchval(BEFORE_MERGE, source)
        if state is None:
            return None
        said = from_json(state)
        return said["status"], StatusCategory(said["status_category"])

    async def gained(self, target: str, source: str) -> tuple[frozenset[str], frozenset[str]]:
        """The tags and the names of custom fields that a target got when it took the source in, as the log says."""
        for row in await self._connection.fetch(ABSORBED, target):
            said = from_json(row["data"])
            if source in {each["id"] for each in said["sources"]}:
                before, after = (frozenset(from_json(row[name]).get("tags") or ()) for name in ("before", "ticket"))
                return after - before, frozenset(said.get("taken") or ())
        return frozenset(), frozenset()


def only_of(tags: frozenset[str], fields: frozenset[str], leaving: Sequence[Part], staying: Sequence[Part]) -> Gained:
    """The share of those who leave in what was gained, without what those who stay have as well."""
    kept = frozenset[str]().union(*(part.tags for part in staying))
    theirs = frozenset[str]().union(*(part.tags for part in leaving)) - kept
    values = {key: value for part in reversed(leaving) for key, value in part.custom.items() if key in fields}
    shared = {(key, value) for part in staying for key, value in part.custom.items()}
    return Gained(tags & theirs, {key: value for key, value in values.items() if (key, value) not in shared})
