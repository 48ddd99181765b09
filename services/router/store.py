"""The router's SQL: one class over one transaction.

Order of locks, everywhere: the queues, all of them, sorted; then whatever else is written. Whoever holds the queues
has the floor: no one else plans, frees, or changes agents (decisions 9; one lock more coarse than it has to be). Rows
of tickets are written sorted by id. `started` and `deadline` of a ticket may be written without the floor.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

import asyncpg

from libs.chassis.transaction import Transaction
from libs.chassis.writes import columns
from services.router.assignment.floor import Agent, Floor, Queue
from services.router.assignment.ticket import Ticket
from services.router.rows import AGENT, QUEUE, TICKET, agent_of, queue_of, ticket_of, ticket_values

QUEUES = f"SELECT {QUEUE} FROM queues ORDER BY key"
AGENTS = f"SELECT {AGENT} FROM agents"
TURNS = "SELECT queue, agent, count FROM turns"
TICKETS = f"SELECT {TICKET} FROM tickets t WHERE t.id = ANY($1::text[])"
OWNED = f"SELECT {TICKET} FROM tickets t WHERE t.active AND t.assignee = $1 AND t.reserved IS NULL"
WAITING = f"""
SELECT {TICKET} FROM tickets t
WHERE t.waiting AND t.queue = ANY($1::text[]) AND NOT t.id = ANY($2::text[])
  AND (NOT t.deferred OR t.queue = ANY($3::text[]))
  AND EXISTS (SELECT FROM agents a WHERE a.key = ANY($4::text[]) AND t.queue = ANY(a.queues) AND a.skills @> t.needs)
ORDER BY t.priority DESC, t.deadline NULLS LAST, t.queued_at, t.id LIMIT $5
"""
DEPTHS = "SELECT queue, count(*) AS waiting FROM tickets WHERE waiting GROUP BY queue"
SAVE_TICKETS = """
INSERT INTO tickets AS t (id, epoch, assignee, queue, priority, active, counts, gone, queued_at, waiting, deferred,
    needs, requirements, reserved, reserved_epoch, reserved_agent, reserved_queue, started)
SELECT id, epoch, assignee, queue, priority, active, counts, gone, queued_at, waiting, deferred,
    string_to_array(needs, ','), requirements, reserved, reserved_epoch, reserved_agent, reserved_queue, false
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::smallint[], $6::boolean[], $7::boolean[],
    $8::boolean[], $9::timestamptz[], $10::boolean[], $11::boolean[], $12::text[], $13::json[], $14::text[],
    $15::bigint[], $16::text[], $17::text[])
    AS x(id, epoch, assignee, queue, priority, active, counts, gone, queued_at, waiting, deferred, needs, requirements,
    reserved, reserved_epoch, reserved_agent, reserved_queue)
ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, assignee = excluded.assignee, queue = excluded.queue,
    priority = excluded.priority, active = excluded.active, counts = excluded.counts, gone = excluded.gone,
    queued_at = excluded.queued_at, waiting = excluded.waiting, deferred = excluded.deferred, needs = excluded.needs,
    requirements = excluded.requirements, reserved = excluded.reserved, reserved_epoch = excluded.reserved_epoch,
    reserved_agent = excluded.reserved_agent, reserved_queue = excluded.reserved_queue
"""
_MARK = """
INSERT INTO tickets AS t (id, epoch, priority, active, counts, gone, waiting, deferred, needs, started, deadline)
SELECT id, -1, -1, false, false, false, false, false, '{{}}', coalesce(started, false), deadline
FROM unnest($1::text[], $2::boolean[], $3::timestamptz[]) AS x(id, started, deadline)
ON CONFLICT (id) DO UPDATE SET started = t.started OR excluded.started, deadline = {deadline}
WHERE (excluded.started AND NOT t.started) OR t.deadline IS DISTINCT FROM {deadline}
"""
MARK_DATED = _MARK.format(deadline="excluded.deadline")
MARK_STARTED = _MARK.format(deadline="t.deadline")
MARK = _MARK.format(deadline="CASE WHEN excluded.id = ANY($4::text[]) THEN excluded.deadline ELSE t.deadline END")
LOCK = "SELECT FROM queues ORDER BY key FOR UPDATE"
SAVE_TURNS = """
INSERT INTO turns (queue, agent, count) SELECT queue, agent, count
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS x(queue, agent, count)
ON CONFLICT (queue, agent) DO UPDATE SET count = excluded.count
"""
SAVE_LOADS = """
UPDATE agents SET load = x.load FROM unnest($1::text[], $2::integer[]) AS x(key, load) WHERE agents.key = x.key
"""
SAVE_AGENT = f"""
INSERT INTO agents ({AGENT}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (key) DO UPDATE SET name = excluded.name, email = excluded.email, role = excluded.role,
    skills = excluded.skills, queues = excluded.queues, capacity = excluded.capacity, active = excluded.active,
    presence = excluded.presence, paused = excluded.paused, load = excluded.load
"""
SAVE_QUEUE = f"""
INSERT INTO queues ({QUEUE}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (key) DO UPDATE SET name = excluded.name, lead = excluded.lead, schedule = excluded.schedule,
    strategy = excluded.strategy, overflow = excluded.overflow, wait_limit = excluded.wait_limit,
    active = excluded.active
"""
SAVE_DECISIONS = """
INSERT INTO decisions (ticket, id, at, epoch, queue, assignee, fallback, reason, config_version, explanation)
SELECT ticket, id, $1, epoch, queue, assignee, fallback, reason, $2, explanation
FROM unnest($3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::boolean[], $9::text[], $10::json[])
    AS x(ticket, id, epoch, queue, assignee, fallback, reason, explanation)
"""
SAVE_TEXTS = """
INSERT INTO texts (ticket, subject, body) SELECT ticket, subject, body
FROM unnest($1::text[], $2::text[], $3::text[]) AS x(ticket, subject, body) ON CONFLICT DO NOTHING
"""
TEXTS = "SELECT ticket, subject, body FROM texts WHERE ticket = ANY($1::text[])"
DECISIONS = """
SELECT id, at, epoch, queue, assignee, fallback, reason, config_version, explanation FROM decisions
WHERE ticket = $1 ORDER BY number DESC LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision as it is stored. explanation: JSON."""

    ticket: str
    id: str
    epoch: int
    queue: str | None
    assignee: str | None
    fallback: bool
    reason: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What may be noted of a ticket without the floor. `dated`: the deadline is replaced, by None too."""

    started: bool = False
    dated: bool = False
    deadline: datetime | None = None


class Store:
    """Loads and stores for one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    async def floor(self) -> Floor:
        """Take the floor: wait for whoever has it, then read everything as it is now."""
        queues = [queue_of(row) for row in await self._connection.fetch(f"{QUEUES} FOR UPDATE")]
        return await self._floor(queues)

    async def lock(self) -> None:
        """Take the floor without looking."""
        await self._connection.execute(LOCK)

    async def glance(self) -> Floor:
        """The same for reading only."""
        return await self._floor([queue_of(row) for row in await self._connection.fetch(QUEUES)])

    async def tickets(self, ids: Collection[str]) -> dict[str, Ticket]:
        """Those of these tickets that are known."""
        return {row["id"]: ticket_of(row) for row in await self._connection.fetch(TICKETS, list(ids))}

    async def owned(self, agent: str) -> list[Ticket]:
        """The open tickets of an agent, without those a decision is under way for."""
        return [ticket_of(row) for row in await self._connection.fetch(OWNED, agent)]

    async def waiting(
        self, queues: Iterable[str], seen: Iterable[str], opened: Iterable[str], free: Iterable[str], limit: int
    ) -> list[Ticket]:
        """Tickets of these queues, in order (behaviour R-4), that one of the agents in `free` could have.

        `opened`: the queues that are open, whose deferred tickets need not wait any longer.
        """
        rows = await self._connection.fetch(WAITING, list(queues), list(seen), list(opened), list(free), limit)
        return [ticket_of(row) for row in rows]

    def save(self, tickets: Iterable[Ticket], floor: Floor) -> None:
        """Write tickets, loads and turns as they are now when the transaction ends. Only with the floor."""
        rows = [ticket_values(ticket) for ticket in sorted(tickets, key=lambda one: one.id)]
        if rows:
            self._transaction.write(SAVE_TICKETS, *columns(rows))
        turned = sorted(floor.turned)
        if turned:
            counts = [floor.turns[turn] for turn in turned]
            self._transaction.write(SAVE_TURNS, [t[0] for t in turned], [t[1] for t in turned], counts)
        loads = floor.loaded
        if loads:
            self._transaction.write(SAVE_LOADS, list(loads), list(loads.values()))

    async def mark(self, marks: Mapping[str, Mark]) -> None:
        """Note that tickets were answered and when they are due; at once, because `save` may write the same rows."""
        if not marks:
            return
        ids = sorted(marks)
        found = [marks[one] for one in ids]
        values = ids, [one.started for one in found], [one.deadline for one in found]
        dated = [one for one in ids if marks[one].dated]
        if 0 < len(dated) < len(ids):
            await self._connection.execute(MARK, *values, dated)
        else:
            await self._connection.execute(MARK_DATED if dated else MARK_STARTED, *values)

    def decide(self, decisions: Sequence[Decided]) -> None:
        """Keep decisions with their explanations when the transaction ends."""
        if not decisions:
            return
        rows = [(d.ticket, d.id, d.epoch, d.queue, d.assignee, d.fallback, d.reason, d.explanation) for d in decisions]
        now, version = self._transaction.now, self._transaction.config.version
        self._transaction.write(SAVE_DECISIONS, now, version, *columns(rows))

    async def depths(self) -> dict[str, int]:
        """How many tickets wait, by queue."""
        return {row["queue"]: row["waiting"] for row in await self._connection.fetch(DEPTHS)}

    async def decisions(self, ticket: str, limit: int) -> list[asyncpg.Record]:
        """The decisions about a ticket, the newest first."""
        return await self._connection.fetch(DECISIONS, ticket, limit)

    def keep_texts(self, texts: Sequence[tuple[str, str, str]]) -> None:
        """Keep (ticket, subject, body) for rules that route by them, when the transaction ends."""
        if texts:
            self._transaction.write(SAVE_TEXTS, *columns(texts))

    async def texts(self, tickets: Sequence[str]) -> dict[str, dict[str, str]]:
        """The texts kept of tickets, by ticket and field of the condition grammar."""
        rows = await self._connection.fetch(TEXTS, tickets)
        return {row["ticket"]: {"subject": row["subject"], "body": row["body"]} for row in rows}

    async def forget_texts(self, tickets: Sequence[str]) -> None:
        """Erase the texts kept of tickets."""
        await self._connection.execute("DELETE FROM texts WHERE ticket = ANY($1::text[])", tickets)

    async def save_agent(self, agent: Agent) -> None:
        """Write one agent. Only with the floor."""
        values: list[Any] = [
            agent.key,
            agent.name,
            agent.email,
            agent.role,
            sorted(agent.skills),
            sorted(agent.queues),
            agent.capacity,
            agent.active,
            agent.presence,
            agent.paused,
            agent.load,
        ]
        await self._connection.execute(SAVE_AGENT, *values)

    async def save_queue(self, queue: Queue) -> None:
        """Write one queue. Only with the floor."""
        await self._connection.execute(SAVE_QUEUE, *astuple(queue))

    async def claim_empty(self) -> bool:
        """Is the router empty? Whoever asks first may fill it; others wait until that is done."""
        await self._connection.execute("SELECT pg_advisory_xact_lock(hashtext('router.seed'))")
        return bool(await self._connection.fetchval("SELECT NOT EXISTS (SELECT FROM queues)"))

    async def _floor(self, queues: list[Queue]) -> Floor:
        agents = [agent_of(row) for row in await self._connection.fetch(AGENTS)]
        turns = {(row["queue"], row["agent"]): row["count"] for row in await self._connection.fetch(TURNS)}
        return Floor({queue.key: queue for queue in queues}, {agent.key: agent for agent in agents}, turns)
