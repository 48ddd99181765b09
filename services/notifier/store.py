"""The notifier's SQL for facts: loaded once, stored once, a statement a table."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta

import asyncpg

from libs.chassis.transaction import Transaction
from libs.chassis.writes import columns, unnested
from libs.contracts.notice import NoticeKind
from services.notifier.domain.desk import Agent, Queue
from services.notifier.domain.notice import Notice, State, Way
from services.notifier.domain.rate import DAY, HOUR, Earlier
from services.notifier.domain.ticket import Ticket
from services.notifier.rows import (
    NOTICE_COLUMNS,
    NOTICE_TYPES,
    chat_row,
    living_of,
    notice_row,
    opening_of,
    ticket_of,
)
from services.notifier.tables import DOMAIN_OF

FAILURES, REMEMBERED = 2, timedelta(days=90)
"""An address that failed so often is taken for dead, and for so long after it failed last (behaviour A-6)."""

TICKETS = """
SELECT id, CASE WHEN id = ANY($2::text[]) THEN opening END AS opening, living FROM tickets WHERE id = ANY($1::text[])
ORDER BY id FOR UPDATE
"""
INSERT_TICKETS = """
INSERT INTO tickets (id, opening, living)
SELECT id, nullif(opening, '')::json, living::json
FROM unnest($1::text[], $2::text[], $3::text[]) AS x(id, opening, living)
ON CONFLICT (id) DO NOTHING
"""
UPDATE_TICKETS = """
UPDATE tickets SET opening = coalesce(nullif(x.opening, '')::json, tickets.opening), living = x.living::json
FROM unnest($1::text[], $2::text[], $3::text[]) AS x(id, opening, living) WHERE tickets.id = x.id
"""
INSERT_NOTICES = f"""
INSERT INTO notices ({", ".join(NOTICE_COLUMNS)}, next_try, settled_at)
SELECT {", ".join(NOTICE_COLUMNS)}, CASE WHEN state = 'queued' THEN created_at END,
       CASE WHEN state <> 'queued' THEN created_at END
FROM {unnested(NOTICE_COLUMNS, NOTICE_TYPES.__getitem__)}
ON CONFLICT (cause, kind, recipient) DO NOTHING
RETURNING id
"""
INSERT_CHAT = """
INSERT INTO notices (ticket, id, kind, cause, recipient, fact_at, text, trace, way, automatic, created_at, settled_at,
                     state, subject, sender, thread, answers)
SELECT ticket, id, kind, cause, recipient, fact_at, text, trace, 'chat', true, $9, $9, 'sent', '', '', '', true
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[])
     AS x(ticket, id, kind, cause, recipient, fact_at, text, trace)
ON CONFLICT (cause, kind, recipient) DO NOTHING
RETURNING id
"""
AGENTS = "SELECT key, email, is_working FROM agents"
QUEUES = "SELECT key, lead, schedule FROM queues"
SAVE_AGENTS = """
INSERT INTO agents (key, email, is_working) SELECT * FROM unnest($1::text[], $2::text[], $3::bool[])
ON CONFLICT (key) DO UPDATE SET email = excluded.email, is_working = excluded.is_working
"""
SAVE_QUEUES = """
INSERT INTO queues (key, lead, schedule) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
ON CONFLICT (key) DO UPDATE SET lead = excluded.lead, schedule = excluded.schedule
"""
IN_TURN = """
SELECT count(pg_advisory_xact_lock(hashtextextended('acknowledged ' || recipient, 0)))
FROM (SELECT unnest($1::text[]) AS recipient ORDER BY 1) AS sorted
"""
"""Recipients are addresses, and domains that have a limit of their own."""
EARLIER = f"""
SELECT recipient, topic, created_at, NULL::bigint AS to_domain FROM notices
WHERE kind = '{NoticeKind.ACKNOWLEDGMENT}' AND way = 'mail' AND recipient = ANY($1::text[]) AND created_at > $2
  AND state <> 'suppressed'
UNION ALL
SELECT address, NULL, NULL, NULL FROM failing_addresses
WHERE address = ANY($1::text[]) AND failures >= {FAILURES} AND failed_at > $3
UNION ALL
SELECT x.domain, NULL, NULL, (
    SELECT count(*) FROM (
        SELECT FROM notices
        WHERE kind = '{NoticeKind.ACKNOWLEDGMENT}' AND way = 'mail' AND state <> 'suppressed'
          AND {DOMAIN_OF} = x.domain AND created_at > $5
        LIMIT $6
    ) AS newest
) FROM unnest($4::text[]) AS x(domain)
"""
FAILED = """
INSERT INTO failing_addresses (address, failures, failed_at)
SELECT address, count(*), $2 FROM unnest($1::text[]) AS x(address) GROUP BY address ORDER BY address
ON CONFLICT (address) DO UPDATE SET failures = failing_addresses.failures + excluded.failures, failed_at = $2
"""
FORGET = "DELETE FROM failing_addresses WHERE address = ANY($1::text[])"
SILENCE = """
UPDATE notices n SET state = 'suppressed', verdict = 'suppressed', reason = x.reason, settled_at = $3, next_try = NULL
FROM unnest($1::text[], $2::text[]) AS x(ticket, reason)
WHERE n.state = 'queued' AND (
    n.ticket = x.ticket AND (x.reason = 'erased' OR (n.automatic AND n.kind IN ('acknowledgment', 'resolved', 'reply')))
    OR n.copy_for = x.ticket AND x.reason = 'erased')
RETURNING n.ticket, n.id, n.kind, n.reason, n.source_message, n.cause, n.trace
"""
# a copy is found by two tickets: whoever erases the one locks it in the same order as whoever erases the other
LOCK_NOTICES = """
SELECT FROM notices WHERE ticket = ANY($1::text[]) OR copy_for = ANY($1::text[]) ORDER BY ticket, id FOR UPDATE
"""
ERASE_NOTICES = """
UPDATE notices SET subject = '', text = '', recipient = 'erased ' || id, reply_to = NULL, topic = NULL
WHERE ticket = ANY($1::text[]) OR copy_for = ANY($1::text[])
"""


class Store:
    """What one transaction loads and stores."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction, self._connection = transaction, transaction.connection

    async def tickets(self, ids: Collection[str], opened: Collection[str]) -> dict[str, Ticket]:
        """Those of these tickets that are known, locked in the order of their ids; with their opening if `opened`."""
        if not ids:
            return {}
        rows = await self._connection.fetch(TICKETS, sorted(ids), list(opened))
        return {row["id"]: ticket_of(row) for row in rows}

    async def agents(self) -> dict[str, Agent]:
        """Everybody who can be told."""
        return {row["key"]: Agent(*row) for row in await self._connection.fetch(AGENTS)}

    async def queues(self) -> dict[str, Queue]:
        """Every queue."""
        return {row["key"]: Queue(*row) for row in await self._connection.fetch(QUEUES)}

    async def earlier(
        self, recipients: Collection[str], domains: Collection[str], most: int
    ) -> tuple[dict[str, list[Earlier]], Counter[str], set[str]]:
        """Acknowledgments of the last day to these addresses, how many of the last hour to these domains, counted up to
        `most`, and which of the addresses do not exist; until the end nobody else decides one to them.
        """
        found: dict[str, list[Earlier]] = {}
        to_domains: Counter[str] = Counter()
        dead: set[str] = set()
        if not recipients:
            return found, to_domains, dead
        await self._connection.execute(IN_TURN, [*recipients, *domains])
        now = self._transaction.now
        limits = (now - DAY, now - REMEMBERED, list(domains), now - HOUR, most)
        for row in await self._connection.fetch(EARLIER, list(recipients), *limits):
            if row["to_domain"] is not None:
                to_domains[row["recipient"]] = row["to_domain"]
            elif row["created_at"] is None:
                dead.add(row["recipient"])
            else:
                found.setdefault(row["recipient"], []).append(Earlier(row["topic"] or "", row["created_at"]))
        return found, to_domains, dead

    def failing(self, failed: Sequence[str], forgotten: Sequence[str]) -> None:
        """Count failures of addresses, and forget those of people who were erased."""
        if failed:
            self._transaction.write(FAILED, list(failed), self._transaction.now)
        if forgotten:
            self._transaction.write(FORGET, list(forgotten))

    async def save_tickets(self, tickets: Iterable[Ticket]) -> None:
        """Insert the new ones, write what changed in the others."""
        new: list[tuple[str, str, str]] = []
        known: list[tuple[str, str, str]] = []
        for ticket in tickets:
            row = (ticket.id, opening_of(ticket) if ticket.is_opening_new else "", living_of(ticket))
            if ticket.stored is None:
                new.append(row)
            elif ticket.is_opening_new or ticket.stored != row[2]:
                known.append(row)
        if new:
            await self._insert_tickets(sorted(new))
        if known:
            self._transaction.write(UPDATE_TICKETS, *columns(known))

    async def _insert_tickets(self, rows: Sequence[tuple[object, ...]]) -> None:
        done = await self._connection.execute(INSERT_TICKETS, *columns(rows))
        if done != f"INSERT 0 {len(rows)}":
            # a former holder of the shard was quicker: the batch is loaded and decided again
            raise asyncpg.SerializationError("a ticket appeared meanwhile")

    async def save_notices(self, notices: Sequence[Notice]) -> list[Notice]:
        """Insert; those that were not there before (decisions 20)."""
        chat = {notice.id: notice for notice in notices if _is_said_in_chat(notice)}
        others = {notice.id: notice for notice in notices if not _is_said_in_chat(notice)}
        new: list[Notice] = []
        if chat:
            arrays = columns([chat_row(notice) for notice in chat.values()])
            rows = await self._connection.fetch(INSERT_CHAT, *arrays, self._transaction.now)
            new += [chat[row["id"]] for row in rows]
        if others:
            arrays = columns([notice_row(notice) for notice in others.values()])
            new += [others[row["id"]] for row in await self._connection.fetch(INSERT_NOTICES, *arrays)]
        return new

    async def save_people(self, agents: Iterable[Agent], queues: Iterable[Queue]) -> None:
        """As the router says they are now."""
        if rows := sorted((agent.key, agent.email, agent.is_working) for agent in agents):
            await self._connection.execute(SAVE_AGENTS, *columns(rows))
        if lines := sorted((queue.key, queue.lead, queue.schedule) for queue in queues):
            await self._connection.execute(SAVE_QUEUES, *columns(lines))

    async def silence(self, reasons: Mapping[str, str]) -> list[asyncpg.Record]:
        """Suppress what still waits to be said to the customers of these tickets, about erased ones to anybody and as a
        copy to who had asked in them; the notices concerned. Those of erased tickets are erased before.
        """
        if not reasons:
            return []
        now = self._transaction.now
        return await self._connection.fetch(SILENCE, list(reasons), list(reasons.values()), now)

    async def erase(self, tickets: Collection[str]) -> None:
        """Take out of the notices who wrote and what was said (behaviour N-1, decisions 21), and lock them. One on its
        way arrives; if it has to be tried again there is nobody any more to send it to.
        """
        if tickets:
            for statement in (LOCK_NOTICES, ERASE_NOTICES):
                await self._connection.execute(statement, list(tickets))


def _is_said_in_chat(notice: Notice) -> bool:
    return notice.way is Way.CHAT and notice.state is State.SENT
