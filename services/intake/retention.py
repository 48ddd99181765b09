"""Erases contents because of their age, in small batches, and never what a legal hold keeps (decisions 21).

Each kind is walked once, in the order of age; `retention_progress` says how far.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from libs.chassis.transaction import Connection
from services.intake.domain.decision import SYSTEM
from services.intake.erasing import Erasing
from services.intake.privacy_file import Retention
from services.intake.store import Store

BATCH = 100
MAILS, TICKETS = "raw_mails", "closed_tickets"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

PROGRESS = "SELECT at, id FROM retention_progress WHERE kind = $1"
REACHED = """
INSERT INTO retention_progress (kind, at, id) VALUES ($1, $2, $3)
ON CONFLICT (kind) DO UPDATE SET at = excluded.at, id = excluded.id
"""
OLD_MAILS = """
SELECT i.id, i.received_at, c.legal_hold IS NOT NULL OR a.legal_hold IS NOT NULL AS held FROM inbound_mail i
LEFT JOIN tickets t ON t.id = i.ticket_id LEFT JOIN customers c ON c.id = t.customer_id
LEFT JOIN customers a ON a.email = i.author
WHERE i.id > $1 AND i.disposition <> 'received' ORDER BY i.id LIMIT $2
"""
# whoever changed within the minute of the cut waits for the next one
OLD_TICKETS = """
SELECT t.id, t.updated_minute,
    t.status_category = 'closed' AND t.removed IS DISTINCT FROM 'erased' AND t.merged_into IS NULL
        AND c.legal_hold IS NULL AS due
FROM tickets t LEFT JOIN customers c ON c.id = t.customer_id
WHERE t.updated_minute >= $1 AND (t.updated_minute, t.id) > ($1, $2) ORDER BY t.updated_minute, t.id LIMIT $3
"""
NEXT_MAIL = "SELECT received_at FROM inbound_mail WHERE id > $1 AND disposition <> 'received' ORDER BY id LIMIT 1"
NEXT_TICKET = """
SELECT updated_minute FROM tickets
WHERE updated_minute >= $1 AND (updated_minute, id) > ($1, $2) ORDER BY updated_minute, id LIMIT 1
"""
AGAIN = "DELETE FROM retention_progress"
MINUTE = timedelta(minutes=1)


class Retaining:
    """The walks of one transaction."""

    def __init__(self, store: Store) -> None:
        self._store, self._rules = store, store.configuration.retention
        self._connection, self._now = store.transaction.connection, store.transaction.now

    async def step(self) -> bool:
        """A batch of what is old enough; False when nothing is."""
        walks: list[tuple[timedelta | None, Callable[[datetime], Awaitable[bool]]]] = [
            (self._rules.raw_mails, self._mails),
            (self._rules.closed_tickets, self._tickets),
        ]
        for kept, walk in walks:
            if kept is not None and await walk(self._now - kept):
                return True
        return False

    async def _mails(self, before: datetime) -> bool:
        _, last = await progress(self._connection, MAILS)
        rows = await self._connection.fetch(OLD_MAILS, int(last or 0), BATCH)
        old = list(takewhile(lambda row: row["received_at"] <= before, rows))
        if not old:
            return False
        await Erasing(self._store, SYSTEM).mails([row["id"] for row in old if not row["held"]])
        await self._connection.execute(REACHED, MAILS, old[-1]["received_at"], str(old[-1]["id"]))
        return True

    async def _tickets(self, before: datetime) -> bool:
        at, last = await progress(self._connection, TICKETS)
        rows = await self._connection.fetch(OLD_TICKETS, _naive(at), last, BATCH)
        old = list(takewhile(lambda row: row["updated_minute"] + MINUTE <= _naive(before), rows))
        if not old:
            return False
        await Erasing(self._store, SYSTEM).tickets_with_parts([row["id"] for row in old if row["due"]])
        reached = old[-1]["updated_minute"].replace(tzinfo=UTC)
        await self._connection.execute(REACHED, TICKETS, reached, old[-1]["id"])
        return True


async def begin_again(connection: Connection) -> None:
    """Walk everything again: what was kept before may be let go now."""
    await connection.execute(AGAIN)


async def progress(connection: Connection, kind: str) -> tuple[datetime, str]:
    """How far a walk is: the instant and the id it has passed."""
    row = await connection.fetchrow(PROGRESS, kind)
    return (EPOCH, "") if row is None else (row["at"], row["id"])


async def next_due(connection: Connection, rules: Retention) -> datetime | None:
    """The earliest instant at which something is old enough."""
    found: list[datetime] = []
    if rules.raw_mails is not None:
        _, last = await progress(connection, MAILS)
        received = await connection.fetchval(NEXT_MAIL, int(last or 0))
        found += [] if received is None else [received + rules.raw_mails]
    if rules.closed_tickets is not None:
        at, last = await progress(connection, TICKETS)
        minute = await connection.fetchval(NEXT_TICKET, _naive(at), last)
        found += [] if minute is None else [minute.replace(tzinfo=UTC) + MINUTE + rules.closed_tickets]
    return min(found, default=None)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
