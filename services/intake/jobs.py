"""Bulk operations in PostgreSQL: what was asked for, how far it is, what became of each ticket."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from libs.chassis.transaction import Connection
from services.intake.domain.bulk import Action
from services.intake.domain.decision import By
from services.intake.domain.via import Via, through

KEPT = timedelta(days=30)
"""Finished jobs are deleted after so long; what they did stays in the tickets' timelines."""

COLUMNS = "id, state, asked_by, action, total, done, unchanged, failed, created_at, finished_at"
ADD = """
INSERT INTO jobs (id, state, asked_by, actor, agent, person, trace, action, total, created_at, finished_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb, $9, $10, $11)
"""
ADD_TICKETS = "INSERT INTO job_tickets (job_id, ticket_id, state) SELECT $1, unnest($2::text[]), 'waiting'"
ONE = f"SELECT {COLUMNS} FROM jobs WHERE id = $1 AND ($2::text IS NULL OR asked_by = $2)"
LATEST = f"""
SELECT {COLUMNS} FROM jobs WHERE id < $1 AND ($2::text IS NULL OR asked_by = $2) ORDER BY id DESC LIMIT $3
"""
TICKETS = """
SELECT ticket_id, state, reason FROM job_tickets
WHERE job_id = $1 AND ticket_id > $2 AND ($3::text IS NULL OR state = $3) ORDER BY ticket_id LIMIT $4
"""
CANCEL = """
UPDATE jobs SET state = 'cancelled', finished_at = $3
WHERE id = $1 AND ($2::text IS NULL OR asked_by = $2) AND state = 'running' RETURNING id
"""
NEXT = """
SELECT id, actor, agent, person, trace, action FROM jobs WHERE state = 'running' ORDER BY id LIMIT 1
FOR UPDATE SKIP LOCKED
"""
WAITING = """
SELECT ticket_id FROM job_tickets WHERE job_id = $1 AND state = 'waiting' ORDER BY ticket_id LIMIT $2
"""
SETTLE = """
UPDATE job_tickets SET state = x.state, reason = nullif(x.reason, '')
FROM unnest($2::text[], $3::text[], $4::text[]) AS x(ticket_id, state, reason)
WHERE job_tickets.job_id = $1 AND job_tickets.ticket_id = x.ticket_id
"""
ADVANCE = """
UPDATE jobs SET done = done + $2, unchanged = unchanged + $3, failed = failed + $4,
    state = CASE WHEN done + unchanged + failed + $2 + $3 + $4 >= total THEN 'done' ELSE state END,
    finished_at = CASE WHEN done + unchanged + failed + $2 + $3 + $4 >= total THEN $5::timestamptz END
WHERE id = $1
"""
PURGE = "DELETE FROM jobs WHERE finished_at < $1"
IS_ANY = "SELECT EXISTS (SELECT FROM jobs WHERE state = 'running')"


class Became(StrEnum):
    """What became of a ticket of a job."""

    DONE = "done"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome for one ticket; `reason` for those that failed."""

    became: Became
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A job to work on, its row locked."""

    id: str
    by: By
    action: Action


class Jobs:
    """The jobs of one transaction. `only`: whose jobs alone may be seen, None for everybody's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, id: str, action: Action, tickets: Sequence[str], asked_by: str, by: By, now: datetime) -> None:
        """A job about these tickets; one about none is done at once."""
        state, finished = ("running", None) if tickets else ("done", now)
        who = (asked_by, by.actor, by.agent, by.person, by.trace)
        await self._connection.execute(ADD, id, state, *who, json.dumps(action.document), len(tickets), now, finished)
        await self._connection.execute(ADD_TICKETS, id, list(tickets))
        await self._connection.execute(PURGE, now - KEPT)

    async def one(self, id: str, only: str | None) -> Mapping[str, Any] | None:
        """A job with its counts."""
        row: Any = await self._connection.fetchrow(ONE, id, only)
        return None if row is None else dict(row)

    async def latest(self, before: str, only: str | None, limit: int) -> Sequence[Mapping[str, Any]]:
        """Jobs before an id, the newest first."""
        rows: Any = await self._connection.fetch(LATEST, before, only, limit)
        return list(map(dict, rows))

    async def tickets(self, id: str, after: str, state: str | None, limit: int) -> Sequence[Mapping[str, Any]]:
        """What became of the tickets of a job, by id."""
        rows: Any = await self._connection.fetch(TICKETS, id, after, state, limit)
        return list(map(dict, rows))

    async def cancel(self, id: str, only: str | None, now: datetime) -> bool:
        """Stop a job where it is, after the batch under way. False if it does not run."""
        return await self._connection.fetchval(CANCEL, id, only, now) is not None

    async def next(self) -> Job | None:
        """The oldest job that runs and nobody else works on, locked."""
        row = await self._connection.fetchrow(NEXT)
        if row is None:
            return None
        by = By(row["actor"], row["agent"], row["person"], through(Via.BULK, row["id"]), row["trace"])
        return Job(row["id"], by, Action.of(json.loads(row["action"])))

    async def waiting(self, id: str, most: int) -> list[str]:
        """Tickets of a job that are still to be done."""
        return [row["ticket_id"] for row in await self._connection.fetch(WAITING, id, most)]

    async def settle(self, id: str, results: Mapping[str, Result], now: datetime) -> None:
        """What became of these tickets; the job is done with the last."""
        became = [str(result.became) for result in results.values()]
        reasons = [result.reason for result in results.values()]
        await self._connection.execute(SETTLE, id, list(results), became, reasons)
        await self._connection.execute(ADVANCE, id, *(became.count(each) for each in Became), now)

    async def is_any_running(self) -> bool:
        """Whether there is work."""
        return bool(await self._connection.fetchval(IS_ANY))
