"""The tables of one copy, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from operator import itemgetter
from typing import Any

import asyncpg

from libs.chassis.transaction import Connection
from services.reporting.document import contribution_read, contribution_written, history_read, history_written
from services.reporting.domain.tally import Tally
from services.reporting.domain.ticket import Gone, Ticket

LIVE = "SELECT copy FROM live_copy"
LOCK = """
SELECT id, version, created_at, status, status_category, priority, category, queue, assignee, gone, resolved_at,
       history, contribution
FROM tickets_{copy} WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE
"""
# instants travel as text: asyncpg takes four times as long for them
SAVE = """
INSERT INTO tickets_{copy} AS t (id, version, created_at, status, status_category, priority, category, queue, assignee,
                                 gone, resolved_at, history, contribution)
SELECT id, version, nullif(created_at, '')::timestamptz, status, status_category, priority, category, queue, assignee,
       nullif(gone, ''), nullif(resolved_at, '')::timestamptz, history::json, contribution::json
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
     AS x(id, version, created_at, status, status_category, priority, category, queue, assignee,
          gone, resolved_at, history, contribution)
ON CONFLICT (id) DO UPDATE SET
    version = excluded.version, created_at = excluded.created_at, status = excluded.status,
    status_category = excluded.status_category, priority = excluded.priority, category = excluded.category,
    queue = excluded.queue, assignee = excluded.assignee, gone = excluded.gone, resolved_at = excluded.resolved_at,
    history = excluded.history, contribution = excluded.contribution
WHERE t.version = excluded.version - 1
RETURNING id
"""
ADD = """
INSERT INTO tallies_{copy} AS t (measure, day, detail, priority, category, queue, agent, bucket, n)
SELECT measure, day, detail, priority, category, queue, agent, bucket, n
FROM unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::integer[],
            $9::bigint[]) AS x(measure, day, detail, priority, category, queue, agent, bucket, n)
ON CONFLICT (measure, day, detail, priority, category, queue, agent, bucket) DO UPDATE SET n = t.n + excluded.n
"""
ENTER = """
INSERT INTO {roster}_{copy} (key, name, active)
SELECT key, name, active FROM unnest($1::text[], $2::text[], $3::boolean[]) AS x(key, name, active)
ON CONFLICT (key) DO UPDATE SET name = excluded.name, active = excluded.active
"""


@dataclass(slots=True)
class Kept:
    """A ticket as a row: its version counts how often it was saved, its contribution is what the tallies hold of it."""

    ticket: Ticket
    version: int = 0
    contribution: Mapping[Tally, int] = field(default_factory=dict)


async def live(connection: Connection) -> str:
    """The copy in force. It cannot change meanwhile: facts claim `heard` before they are folded, a swap locks it."""
    copy: str = await connection.fetchval(LIVE)
    return copy


@cache
def statement(template: str, copy: str, roster: str = "") -> str:
    """A statement about the tables of one copy."""
    return template.format(copy=copy, roster=roster)


class Store:
    """Loads and saves in one copy."""

    def __init__(self, connection: Connection, copy: str) -> None:
        self._connection, self._copy = connection, copy

    async def lock(self, ids: Iterable[str]) -> dict[str, Kept]:
        """The tickets that are known, locked."""
        rows = await self._connection.fetch(statement(LOCK, self._copy), sorted(ids))
        return {row["id"]: _kept(row) for row in rows}

    async def save(self, tickets: Sequence[Kept]) -> set[str]:
        """Save tickets in a new version; the ids that were. Missing are those that somebody else made meanwhile."""
        rows = sorted([_columns(kept) for kept in tickets], key=itemgetter(0))
        saved = await self._connection.fetch(statement(SAVE, self._copy), *zip(*rows, strict=True))
        return {row["id"] for row in saved}

    async def add(self, tallies: Mapping[Tally, int]) -> None:
        """Add to tallies, in their order, so that nobody waits in a circle."""
        rows = sorted((*tally, n) for tally, n in tallies.items() if n)
        if not rows:
            return
        measures, days, *others = zip(*rows, strict=True)
        dates = [date.fromisoformat(day) for day in days]
        await self._connection.execute(statement(ADD, self._copy), measures, dates, *others)

    async def enter(self, roster: str, entries: Mapping[str, tuple[str | None, bool]]) -> None:
        """Agents or queues as they are now: name and whether they are active, by key."""
        keys = sorted(entries)
        names, active = [entries[key][0] for key in keys], [entries[key][1] for key in keys]
        await self._connection.execute(statement(ENTER, self._copy, roster), keys, names, active)


def _kept(row: asyncpg.Record) -> Kept:
    ticket = Ticket(
        id=row["id"],
        created_at=row["created_at"],
        status=row["status"],
        status_category=row["status_category"],
        priority=row["priority"],
        category=row["category"],
        queue=row["queue"],
        assignee=row["assignee"],
        gone=Gone(row["gone"]) if row["gone"] else None,
        resolved_at=row["resolved_at"],
        history=history_read(row["history"]),
    )
    return Kept(ticket, row["version"], contribution_read(row["contribution"]))


def _columns(kept: Kept) -> tuple[Any, ...]:
    ticket = kept.ticket
    return (
        ticket.id,
        kept.version + 1,
        _text(ticket.created_at),
        ticket.status,
        ticket.status_category,
        ticket.priority,
        ticket.category,
        ticket.queue,
        ticket.assignee,
        ticket.gone or "",
        _text(ticket.resolved_at),
        history_written(ticket.history),
        contribution_written(kept.contribution),
    )


def _text(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()
