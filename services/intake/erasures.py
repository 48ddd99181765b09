"""People to erase: asked once, done in steps that a crash may end anywhere (decisions 21).

First their tickets, some at a time; then, in one transaction, whatever else names them: mails, words on other people's
tickets, chats, answers kept for repeated requests, parked events, and their own record last.
"""

from dataclasses import dataclass
from datetime import datetime

from libs.chassis.errors import Conflict, NotFound
from libs.chassis.transaction import Connection
from services.intake.authorship import BY_PERSON
from services.intake.domain.decision import By
from services.intake.erasing import Erasing
from services.intake.people import People
from services.intake.search_index import index
from services.intake.store import Store

BATCH = 50

PERSON = "SELECT merged_into, legal_hold, erased_at FROM customers WHERE id = $1 FOR UPDATE"
ASK = """
INSERT INTO erasures (customer_id, state, asked_at, asked_by, tickets, mails) VALUES ($1, 'asked', $2, $3, 0, 0)
ON CONFLICT (customer_id) DO UPDATE SET state = CASE WHEN $4 THEN 'asked' ELSE erasures.state END
"""
ONE = "SELECT customer_id, state, asked_at, asked_by, done_at, tickets, mails FROM erasures WHERE customer_id = $1"
# a hold that was laid on somebody since keeps what is left
NEXT = """
SELECT e.customer_id, e.asked_by FROM erasures e JOIN customers c ON c.id = e.customer_id AND c.legal_hold IS NULL
WHERE e.state = 'asked' ORDER BY e.asked_at LIMIT 1
"""
IS_ANY = """
SELECT EXISTS (SELECT FROM erasures e JOIN customers c ON c.id = e.customer_id AND c.legal_hold IS NULL
    WHERE e.state = 'asked')
"""
COUNT = "UPDATE erasures SET tickets = tickets + $2, mails = mails + $3 WHERE customer_id = $1"
DONE = "UPDATE erasures SET state = 'done', done_at = $2 WHERE customer_id = $1"
RECORDS = "SELECT id FROM customers WHERE id = $1 OR merged_into = $1 ORDER BY id FOR UPDATE"
TICKETS = """
SELECT id FROM tickets WHERE customer_id = ANY($1::text[]) AND removed IS DISTINCT FROM 'erased' ORDER BY id LIMIT $2
"""
HAS_TICKETS = """
SELECT EXISTS (SELECT FROM tickets WHERE customer_id = $1 AND removed IS DISTINCT FROM 'erased')
"""
ADDRESSES = """
SELECT email AS value FROM customers WHERE id = ANY($1::text[]) AND email IS NOT NULL
UNION
SELECT value FROM customer_identities WHERE customer_id = ANY($1::text[]) AND kind = 'email'
"""
# by the address alone these are not found by an index: it is done once for a person, and holds nobody up
MAILS = """
SELECT id, message_id FROM inbound_mail
WHERE blob <> '' AND (author = ANY($1::text[]) OR lower(sender) = ANY($1::text[])
    OR ticket_id IN (SELECT id FROM tickets WHERE customer_id = ANY($2::text[])))
"""
ELSEWHERE = f"""
SELECT m.id, m.ticket_id FROM messages m JOIN ({BY_PERSON}) AS theirs ON theirs.id = m.id WHERE m.ticket_id IS NOT NULL
"""
LEAVE = "DELETE FROM participants WHERE email = ANY($1::text[])"
CHATS = """
UPDATE conversations SET name = NULL, email = NULL, phone = NULL, url = NULL, comment = NULL
WHERE email = ANY($1::text[])
"""
ANSWERS = """
DELETE FROM idempotency USING unnest($1::text[]) AS x(id) WHERE position(convert_to(x.id, 'UTF8') IN response) > 0
"""
PARKED = """
UPDATE parked SET payload = '', headers = '', reason = 'erased', state = 'discarded', settled_at = clock_timestamp()
FROM unnest($1::text[]) AS x(email) WHERE position(convert_to(x.email, 'UTF8') IN parked.payload) > 0
"""
# a search may have been taught the name again since the tickets were erased
UNFINDABLE = """
DELETE FROM ticket_search WHERE ticket_id IN (SELECT id FROM tickets WHERE customer_id = ANY($1::text[]))
"""
IDENTITIES = "DELETE FROM customer_identities WHERE customer_id = ANY($1::text[])"
EMPTY = """
UPDATE customers SET email = NULL, name = NULL, phone = NULL, tier = NULL, organisation = NULL,
    erased_at = coalesce(erased_at, $2) WHERE id = ANY($1::text[])
"""


@dataclass(frozen=True, slots=True)
class Erasure:
    """How far it is. state: asked or done. tickets, mails: how many were erased."""

    customer_id: str
    state: str
    asked_at: datetime
    asked_by: str
    done_at: datetime | None
    tickets: int
    mails: int


class Erasures:
    """The erasures of one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection, self._now = store.transaction.connection, store.transaction.now

    async def ask(self, customer_id: str, by: By) -> Erasure:
        """Ask for a person to be erased; asking again changes nothing, unless something came in since.

        NotFound; Conflict for a record that is another's now, and while a legal hold keeps it.
        """
        person = await self._connection.fetchrow(PERSON, customer_id)
        if person is None:
            raise NotFound(f"there is no customer {customer_id}")
        if person["merged_into"] is not None:
            raise Conflict(f"{customer_id} was merged into another record", merged_into=person["merged_into"])
        if person["legal_hold"] is not None:
            raise Conflict("a legal hold keeps what is known of this customer", legal_hold=person["legal_hold"])
        before = await self.of(customer_id)
        anew = bool(await self._connection.fetchval(HAS_TICKETS, customer_id))
        await self._connection.execute(ASK, customer_id, self._now, by.actor, anew)
        if before is None:
            await People(self._store, by).note(customer_id, "erasure_asked", {})
        found = await self.of(customer_id)
        assert found is not None
        return found

    async def of(self, customer_id: str) -> Erasure | None:
        """The erasure of a person."""
        row = await self._connection.fetchrow(ONE, customer_id)
        return None if row is None else Erasure(**row)

    async def step(self) -> bool:
        """Erase some more of the person who was asked for first; False when nobody is."""
        row = await self._connection.fetchrow(NEXT)
        if row is None:
            return False
        id, by = row["customer_id"], By(row["asked_by"], person=True)
        records = [each["id"] for each in await self._connection.fetch(RECORDS, id)]
        tickets = [each["id"] for each in await self._connection.fetch(TICKETS, records, BATCH)]
        erasing = Erasing(self._store, by)
        if tickets:
            await self._connection.execute(COUNT, id, await erasing.tickets(tickets), 0)
            return True
        await self._connection.execute(COUNT, id, 0, await self._person(records, erasing))
        await self._connection.execute(DONE, id, self._now)
        await People(self._store, by).note(id, "erased", {})
        return True

    async def _person(self, records: list[str], erasing: Erasing) -> int:
        """Everything beside the tickets; how many mails there were."""
        emails = [row["value"] for row in await self._connection.fetch(ADDRESSES, records)]
        mails = await self._connection.fetch(MAILS, emails, records)
        named = [row["message_id"] for row in mails if row["message_id"] is not None]
        elsewhere = await self._connection.fetch(ELSEWHERE, records, emails, named)
        erased = await erasing.mails([row["id"] for row in mails])
        await erasing.messages([row["id"] for row in elsewhere])
        await index(self._connection, {row["ticket_id"] for row in elsewhere})
        for statement in (LEAVE, CHATS, PARKED):
            await self._connection.execute(statement, emails)
        for statement in (ANSWERS, IDENTITIES):
            await self._connection.execute(statement, records)
        await self._connection.execute(EMPTY, records, self._now)
        await self._connection.execute(UNFINDABLE, records)
        return erased


async def is_any_asked(connection: Connection) -> bool:
    """Whether somebody waits to be erased."""
    return bool(await connection.fetchval(IS_ANY))
