"""Keeps what searches look through: off the path of tickets, by one worker, a few seconds behind (docs/search.md).

The worker follows intake's own facts in the order in which they were committed, as a repairing hearer does, and writes
the words of every ticket that was written on once for each batch, however often it was.
"""

import asyncio
from collections.abc import Collection
from datetime import datetime
from time import monotonic

import structlog
from prometheus_client import Gauge

from libs.chassis.clock import real_now
from libs.chassis.database import DATABASE_TROUBLE, Database
from libs.chassis.pause import pause
from libs.chassis.resources import Resources
from libs.chassis.transaction import Connection
from libs.contracts.ticket import TicketChanged, TicketMessageAdded, TicketNoteAdded, TicketOpened, TicketRemoved
from services.intake.search_words import LANGUAGES, NEUTRAL

log = structlog.get_logger(__name__)

ROUND_SECONDS = 2.0
AT_ONCE = 400
BURST, PATIENCE_SECONDS = 100, 30.0
"""When so many tickets were written on within a round there is a burst: the index waits, but not for longer."""
SHARE = 4
"""Of the time it works at most: after a batch that took a second it rests for three."""

WRITTEN_ON = (TicketOpened.TYPE, TicketMessageAdded.TYPE, TicketNoteAdded.TYPE, TicketRemoved.TYPE)
PROGRESS = "SELECT xid::text AS xid, id FROM search_progress"
CHANGED = f"""
SELECT xid::text AS xid, id, subject, said_at,
    type = ANY($3::text[]) OR (type = '{TicketChanged.TYPE}' AND data::text ~ '"(subject|language|customer)') AS touched
FROM events WHERE (xid, id) > ($1::text::xid8, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xid, id LIMIT {AT_ONCE}
"""
MOVE = """
INSERT INTO search_progress (name, xid, id) VALUES ('tickets', $1::text::xid8, $2)
ON CONFLICT (name) DO UPDATE SET xid = excluded.xid, id = excluded.id
"""
# a tsvector has at most 1 MB
INDEX = f"""
INSERT INTO ticket_search (ticket_id, words)
SELECT t.id, setweight(to_tsvector('{NEUTRAL}', t.subject) || to_tsvector(config, t.subject), 'A')
    || setweight(to_tsvector('{NEUTRAL}', concat_ws(' ', c.name, c.email)), 'B')
    || setweight(to_tsvector('{NEUTRAL}', left(said, 60000)) || to_tsvector(config, left(said, 60000)), 'C')
    || setweight(to_tsvector('{NEUTRAL}', left(noted, 20000)) || to_tsvector(config, left(noted, 20000)), 'D')
FROM tickets AS t LEFT JOIN customers AS c ON c.id = t.customer_id
CROSS JOIN LATERAL (
    SELECT coalesce((SELECT config FROM unnest($2::text[], $3::text[]) AS l(tag, config)
        WHERE tag = lower(split_part(coalesce(t.language, 'en'), '-', 1))), '{NEUTRAL}')::regconfig AS config
) AS spoken
CROSS JOIN LATERAL (
    SELECT coalesce(string_agg(text, E'\\n' ORDER BY n, seq) FILTER (WHERE visibility = 'public'), '') AS said,
        coalesce(string_agg(text, E'\\n' ORDER BY n, seq) FILTER (WHERE visibility = 'internal'), '') AS noted
    FROM messages WHERE ticket_id = t.id
) AS written
WHERE t.id = ANY($1::text[]) AND t.removed IS DISTINCT FROM 'erased' ORDER BY t.id
ON CONFLICT (ticket_id) DO UPDATE SET words = excluded.words
WHERE ticket_search.words IS DISTINCT FROM excluded.words
"""


# whoever erases takes the words away; this is for those that were being written meanwhile
FORGET = """
DELETE FROM ticket_search USING tickets AS t
WHERE t.id = ticket_search.ticket_id AND t.id = ANY($1::text[]) AND t.removed = 'erased'
"""


async def index(connection: Connection, tickets: Collection[str]) -> None:
    """Write the words of these tickets anew: also for whoever changes or erases texts without a fact."""
    if tickets:
        await connection.execute(INDEX, sorted(tickets), list(LANGUAGES), list(LANGUAGES.values()))
        await connection.execute(FORGET, sorted(tickets))


class Indexer:
    """The worker; on one replica at a time."""

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._behind: Gauge | None = None

    async def run(self, resources: Resources, over: asyncio.Event) -> None:
        """Follow the facts until it is over; what could not be written is tried again in the next round."""
        behind = self._behind = self._behind or Gauge(
            "signalbox_intake_search_behind_seconds",
            "Age of the oldest change that searches do not find yet, else 0",
            registry=resources.metrics.registry,
        )
        while not over.is_set():
            began, more = monotonic(), False
            try:
                oldest, more = await self.follow(resources.database)
                behind.set(0 if oldest is None else max(0.0, (real_now() - oldest).total_seconds()))
            except DATABASE_TROUBLE as trouble:
                log.warning("the search index waits for the database", reason=str(trouble))
            rest = (monotonic() - began) * (SHARE - 1)
            await pause(over, rest if more else max(rest, ROUND_SECONDS))

    async def follow(self, database: Database) -> tuple[datetime | None, bool]:
        """Write one batch. How far behind it was, and whether there is more to do at once."""
        async with database.connection() as connection, connection.transaction():
            done = await connection.fetchrow(PROGRESS)
            place = ("0", 0) if done is None else (done["xid"], done["id"])
            rows = await connection.fetch(CHANGED, *place, list(WRITTEN_ON))
            touched = {row["subject"] for row in rows if row["touched"]}
            oldest = min((row["said_at"] for row in rows if row["touched"]), default=None)
            if oldest is not None and len(touched) > BURST and self._young(oldest):
                return oldest, False
            await index(connection, touched)
            if rows:
                await connection.execute(MOVE, rows[-1]["xid"], rows[-1]["id"])
        more = len(rows) == AT_ONCE
        return (oldest if more else None), more

    def _young(self, moment: datetime) -> bool:
        return (real_now() - moment).total_seconds() < self._patience
