"""Compares new tickets with earlier ones, beside the hot path and only where the configuration wishes it (M-5).

It follows the log of events. What it reads, it reads without locks; each merge is a transaction of its own and does
nothing when it is done again; what is suspected is said in the transaction that moves its place in the log.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from libs.chassis.database import DATABASE_TROUBLE
from libs.chassis.errors import Refusal
from libs.chassis.pause import pause
from libs.chassis.resources import Resources, Worker
from libs.chassis.simulation import Work
from libs.chassis.transaction import Connection, Transaction, Transactions
from libs.contracts.ticket import TicketOpened
from services.intake.domain.decision import SYSTEM, Refused
from services.intake.domain.duplicates import Suspicion
from services.intake.domain.suspecting import DuplicateRules, same_by_key, suspect, worth_saying
from services.intake.merges import Merges, OtherRequesters
from services.intake.store import Store
from services.intake.suspects import Suspects

log = structlog.get_logger(__name__)

EVERY_SECONDS = 1.0
BATCH = 100
"""Of the log in one step: who is to end, or has lost the lease, does not go on for long."""
LATE = timedelta(hours=24)
"""A ticket that was opened so long ago is not new any more: nobody waits for a hint."""

# whoever begins does so with what is opened from now on
BEGIN = """
INSERT INTO suspecting (name, xid, id)
SELECT 'tickets', coalesce(last.xid, '0'::xid8), coalesce(last.id, 0) FROM (SELECT) AS one LEFT JOIN (
    SELECT xid, id FROM events WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid DESC, id DESC LIMIT 1
) AS last ON true
ON CONFLICT DO NOTHING
"""
PLACE = "SELECT xid::text AS xid, id FROM suspecting"
FOLLOWING = f"""
SELECT xid::text AS xid, id, CASE WHEN type = '{TicketOpened.TYPE}' AND occurred_at > $3 THEN subject END AS opened
FROM events WHERE (xid, id) > ($1::text::xid8, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xid, id LIMIT {BATCH}
"""
# most are of people who have nothing else
COMPARABLE = """
SELECT t.id FROM tickets t WHERE t.id = ANY($1::text[]) AND t.removed IS NULL AND t.merged_into IS NULL AND (
    EXISTS (SELECT FROM tickets o WHERE o.customer_id = t.customer_id AND o.id < t.id)
    OR EXISTS (
        SELECT FROM customers c JOIN tickets o ON o.customer_id = c.id
        WHERE c.organisation = t.organisation AND o.id < t.id)
) ORDER BY t.id
"""
MOVE = "UPDATE suspecting SET xid = $3::text::xid8, id = $4 WHERE xid = $1::text::xid8 AND id = $2"
IS_ANY = f"""
SELECT EXISTS (SELECT FROM suspecting s JOIN events e ON (e.xid, e.id) > (s.xid, s.id)
    WHERE e.type = '{TicketOpened.TYPE}' AND e.occurred_at > $1)
"""

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Look:
    """Some of the log: where it begins and ends, what is suspected of tickets opened there, what is to be merged."""

    begin: Place
    end: Place
    suspicions: dict[str, list[Suspicion]]
    merges: dict[str, str]


async def run(resources: Resources, over: asyncio.Event) -> None:
    """Every second what was opened since."""
    while not over.is_set():
        try:
            while not over.is_set() and _is_wished(resources) and await step(resources.transactions, over):
                continue
        except DATABASE_TROUBLE as trouble:
            log.warning("new tickets are not compared: the database is away", reason=str(trouble))
        await pause(over, EVERY_SECONDS)


async def step(transactions: Transactions, over: asyncio.Event) -> bool:
    """One batch of the log; False when there is nothing to do, or it is over: then the next one does it again."""
    async with transactions.begin() as transaction:
        rules: DuplicateRules = transaction.config.parsed.prepared.duplicates
        look = await _look(transaction, rules, over) if rules.suspect else None
    if look is None:
        return False
    for source, target in look.merges.items():
        if over.is_set():
            return False
        await _merge(transactions, source, target)
    async with transactions.begin() as transaction:
        moved = await transaction.connection.execute(MOVE, *look.begin, *look.end)
        if moved == "UPDATE 1":
            await _say(transaction, look)
    return True


async def _look(transaction: Transaction, rules: DuplicateRules, over: asyncio.Event) -> Look | None:
    connection, now = transaction.connection, transaction.now
    begin = await _place(connection)
    rows = await connection.fetch(FOLLOWING, *begin, now - LATE)
    if not rows:
        return None
    look = Look(begin, (rows[-1]["xid"], rows[-1]["id"]), {}, {})
    opened = [row["opened"] for row in rows if row["opened"] is not None]
    config = transaction.config.parsed
    # what is suspected is in a fact, which everybody sees
    suspects = Suspects(connection, config.organisations, now, unseen=config.fields.restricted)
    for row in await connection.fetch(COMPARABLE, opened) if opened else []:
        if over.is_set():
            return None
        new, found = await suspects.compared_with(row["id"])
        look.suspicions[row["id"]] = worth_saying(new, found)
        if target := same_by_key(new, found, rules):
            look.merges[row["id"]] = target
    return look


async def _place(connection: Connection) -> Place:
    row = await connection.fetchrow(PLACE)
    if row is None:
        await connection.execute(BEGIN)
        row = await connection.fetchrow(PLACE)
    assert row is not None
    return row["xid"], row["id"]


async def _merge(transactions: Transactions, source: str, target: str) -> None:
    """Merge what has an equal key; where that is not possible any more it stays a suspicion."""
    try:
        async with transactions.begin() as transaction:
            merges = Merges(Store(transaction), SYSTEM)
            living, sources = await merges.target(target, [source])
            await merges.merge(living, sources, confirmed=False)
    except (Refusal, OtherRequesters, Refused) as reason:
        log.info("a duplicate is not merged by itself", ticket=source, reason=str(reason))


async def _say(transaction: Transaction, look: Look) -> None:
    store = Store(transaction)
    tickets = await store.tickets(_said(look))
    await store.save([suspect(ticket, look.suspicions[id], transaction.now) for id, ticket in tickets.items()])


def _said(look: Look) -> Collection[str]:
    return [id for id, suspicions in look.suspicions.items() if suspicions]


async def left(resources: Resources, now: datetime) -> Work:
    """Whether something was opened that was not looked at, for simulated time."""
    if not _is_wished(resources):
        return Work()
    async with resources.database.connection() as connection:
        return Work(busy=bool(await connection.fetchval(IS_ANY, now - LATE)))


def _is_wished(resources: Resources) -> bool:
    rules: DuplicateRules = resources.configuration.current.parsed.prepared.duplicates
    return rules.suspect


SUSPECTING = Worker("suspecting", run, leased=True, left=left)
