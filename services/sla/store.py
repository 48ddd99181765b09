"""What sla keeps, read and written in one transaction: one statement for a batch, rows in order of their ids."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.chassis.transaction import Transaction
from libs.contracts.routing import QueueChanged
from services.sla.document import read, written
from services.sla.domain.clock import TicketClocks

LOCK = "SELECT id FROM tickets WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE"
LOAD = "SELECT id, clocks, state, basis FROM tickets WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE"
# instants travel as text: asyncpg takes four times as long for them
SAVE = """
INSERT INTO tickets AS t (id, clocks, state, next_deadline, next_warning, basis, open)
SELECT id, clocks::json, state::json, nullif(next_deadline, '')::timestamptz, nullif(next_warning, '')::timestamptz,
       basis, open
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[])
     AS x(id, clocks, state, next_deadline, next_warning, basis, open)
ON CONFLICT (id) DO UPDATE SET clocks = excluded.clocks, state = excluded.state,
    next_deadline = excluded.next_deadline, next_warning = excluded.next_warning, basis = excluded.basis,
    open = excluded.open
"""
QUEUES = "SELECT key, schedule FROM queues WHERE schedule IS NOT NULL"
SAVE_QUEUES = """
INSERT INTO queues (key, schedule) SELECT key, schedule FROM unnest($1::text[], $2::text[]) AS x(key, schedule)
ON CONFLICT (key) DO UPDATE SET schedule = excluded.schedule
"""
OUTDATED = "SELECT id FROM tickets WHERE open AND basis <> $1 AND id > $2 ORDER BY id LIMIT $3"


@dataclass(slots=True)
class Kept:
    """A ticket's clocks, the JSON of its state, and what all its deadlines were computed by (Rules.basis)."""

    clocks: TicketClocks
    state: str
    basis: str


class Store:
    """The tables of sla, in one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction, self._connection = transaction, transaction.connection

    async def queues(self) -> dict[str, str]:
        """The schedules of queues by key."""
        return {row["key"]: row["schedule"] for row in await self._connection.fetch(QUEUES)}

    async def save_queues(self, changed: Iterable[QueueChanged]) -> None:
        """Keep the schedules of queues; the last of each key counts."""
        last = {queue.key: queue.schedule for queue in changed}
        keys = sorted(last)
        await self._connection.execute(SAVE_QUEUES, keys, [last[key] for key in keys])

    async def lock(self, ids: Sequence[str]) -> None:
        """Lock the rows of these tickets, in order."""
        await self._connection.execute(LOCK, sorted(ids))

    async def load(self, ids: Iterable[str]) -> dict[str, Kept]:
        """The tickets that are there, locked in order."""
        wanted = sorted(ids)
        if not wanted:
            return {}
        rows = await self._connection.fetch(LOAD, wanted)
        return {row["id"]: Kept(read(row["clocks"]), row["state"], row["basis"]) for row in rows}

    async def outdated(self, basis: str, after: str, limit: int) -> list[str]:
        """Ids of open tickets that were computed by anything else, in order."""
        return [row["id"] for row in await self._connection.fetch(OUTDATED, basis, after, limit)]

    def save(self, tickets: Mapping[str, Kept]) -> None:
        """Write these tickets when the transaction ends."""
        ids = sorted(tickets)
        if not ids:
            return
        clocks = [tickets[id].clocks for id in ids]
        ticking = [[clock for clock in one.clocks if clock.is_ticking and clock.announced is None] for one in clocks]
        self._transaction.write(
            SAVE,
            ids,
            [written(one) for one in clocks],
            [tickets[id].state for id in ids],
            [_earliest([clock.deadline for clock in ones if clock.deadline]) for ones in ticking],
            [_earliest([clock.warn_at for clock in ones if clock.warn_at]) for ones in ticking],
            [tickets[id].basis for id in ids],
            [one.is_open for one in clocks],
        )


def _earliest(instants: Sequence[datetime]) -> str:
    return min(instants).isoformat() if instants else ""
