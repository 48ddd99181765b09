"""What people of ours change in what is known of customers: fields, identities, two records that are one person."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic_core import to_json

from libs.chassis.errors import Conflict, NotFound
from services.intake.customers import COLUMNS
from services.intake.domain.changing import identify
from services.intake.domain.decision import By, Decision
from services.intake.domain.message import Customer
from services.intake.domain.status import WORKED_ON
from services.intake.rows import CUSTOMER_COLUMNS
from services.intake.search_index import index
from services.intake.store import Store

LOCK = f"SELECT {COLUMNS}, merged_into, erased_at FROM customers WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE"
HOLDER = """
SELECT id FROM customers WHERE CASE $1 WHEN 'email' THEN email = $2 WHEN 'phone' THEN phone = $2 ELSE false END
UNION
SELECT customer_id FROM customer_identities WHERE kind = $1 AND value = $2
"""
LINK = """
INSERT INTO customer_identities (kind, value, customer_id, linked_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
"""
UNLINK = "DELETE FROM customer_identities WHERE kind = $1 AND value = $2 AND customer_id = $3 RETURNING value"
SAVE = "UPDATE customers SET name = $2, email = $3, phone = $4, tier = $5, organisation = $6 WHERE id = $1"
HAND_OVER = "UPDATE customer_identities SET customer_id = $2 WHERE customer_id = ANY($1::text[])"
MERGE = "UPDATE customers SET merged_into = $2, email = NULL, phone = NULL WHERE id = ANY($1::text[])"
KEEP_HELD = """
UPDATE customers c SET legal_hold = coalesce(c.legal_hold, held.reason)
FROM (SELECT max(legal_hold) AS reason FROM customers WHERE id = ANY($1::text[])) AS held WHERE c.id = $2
"""
EARLIER = "UPDATE customers SET merged_into = $2 WHERE merged_into = ANY($1::text[])"
TICKETS = "SELECT id FROM tickets WHERE customer_id = ANY($1::text[]) AND removed IS NULL"
OF_CHAT = "SELECT id FROM tickets WHERE source = $1 AND conversation_id = $2 AND customer_id IS NULL"
NAME_CHAT = """
UPDATE conversations SET email = coalesce(email, $3), phone = coalesce(phone, $4), name = coalesce(name, $5)
WHERE source = $1 AND conversation_id = $2
"""
HOLD = "UPDATE customers SET legal_hold = $2 WHERE id = $1"
NOTE = "INSERT INTO customer_log (customer_id, at, actor, action, details) VALUES ($1, $2, $3, $4, $5::text::jsonb)"


class People:
    """The people of one transaction."""

    def __init__(self, store: Store, by: By) -> None:
        self._store, self._by = store, by
        self._connection, self._now = store.transaction.connection, store.transaction.now

    async def locked(self, ids: Sequence[str]) -> dict[str, Customer]:
        """These people, locked in the order of their ids. NotFound; Conflict for one that is another's record now."""
        rows = {row["id"]: row for row in await self._connection.fetch(LOCK, sorted(set(ids)))}
        for id in ids:
            if id not in rows:
                raise NotFound(f"there is no customer {id}")
            if rows[id]["merged_into"] is not None:
                raise Conflict(f"{id} was merged into another record", merged_into=rows[id]["merged_into"])
            if rows[id]["erased_at"] is not None:
                raise Conflict(f"{id} was erased")
        return {id: Customer(*(row[name] for name in CUSTOMER_COLUMNS)) for id, row in rows.items()}

    async def change(self, customer: Customer, wanted: Mapping[str, Any]) -> Customer:
        """Set fields; None unsets. Tickets that are worked on follow in tier and organisation. Conflict for an address
        that is somebody else's.
        """
        if wanted.get("email"):
            await self._claim("email", wanted["email"], customer.id)
        after = _with(customer, **wanted)
        if after != customer:
            await self._save(after)
            await self._tell_tickets(after)
            await self.note(customer.id, "changed", {"fields": sorted(wanted)})
        return after

    async def link(self, customer: Customer, kind: str, value: str) -> Customer:
        """Know a person by one more address, number or chat. Conflict if another is known by it: merge them instead."""
        await self._claim(kind, value, customer.id)
        if kind in ("email", "phone") and getattr(customer, kind) is None:
            after = _with(customer, **{kind: value})
            await self._save(after)
        else:
            after = customer
            await self._connection.execute(LINK, kind, value, customer.id, self._now)
        if kind == "chat":
            await self._name_chat(after, value)
        await self.note(customer.id, "linked", {"kind": kind})
        return after

    async def unlink(self, customer: Customer, kind: str, value: str) -> Customer:
        """Forget that a person is known by this; what was written under it stays where it is. NotFound."""
        if getattr(customer, kind, None) == value:
            after = _with(customer, **{kind: None})
            await self._save(after)
        elif await self._connection.fetchval(UNLINK, kind, value, customer.id):
            after = customer
        else:
            raise NotFound(f"this customer is not known by that {kind}")
        await self.note(customer.id, "unlinked", {"kind": kind})
        return after

    async def merge(self, customer: Customer, others: Sequence[Customer]) -> Customer:
        """Other records turn out to be this person: addresses, numbers, chats and tickets are theirs now."""
        ids = [other.id for other in others]
        await self._connection.execute(MERGE, ids, customer.id)
        await self._connection.execute(KEEP_HELD, ids, customer.id)
        await self._connection.execute(EARLIER, ids, customer.id)
        await self._connection.execute(HAND_OVER, ids, customer.id)
        after = customer
        for other in others:
            for kind in ("email", "phone"):
                value = getattr(other, kind)
                if value is not None and getattr(after, kind) is not None:
                    await self._connection.execute(LINK, kind, value, customer.id, self._now)
            after = _with(
                after, **{name: getattr(after, name) or getattr(other, name) for name in CUSTOMER_COLUMNS[1:]}
            )
        await self._save(after)
        await self._give_tickets(await self._tickets([customer.id, *ids]), after)
        await self.note(customer.id, "merged", {"sources": ids})
        return after

    async def hold(self, customer: Customer, reason: str | None) -> None:
        """Keep everything that is known of a person, for a reason; None lets it go again."""
        await self._connection.execute(HOLD, customer.id, reason)
        await self.note(customer.id, "released" if reason is None else "held", {})

    async def note(self, customer_id: str, action: str, details: Mapping[str, Any]) -> None:
        """Keep who did what; `details` name nobody."""
        await self._connection.execute(NOTE, customer_id, self._now, self._by.actor, action, to_json(details).decode())

    async def _claim(self, kind: str, value: str, customer_id: str) -> None:
        holders = {row["id"] for row in await self._connection.fetch(HOLDER, kind, value)} - {customer_id}
        if holders:
            raise Conflict(f"another customer is known by this {kind}; merge the two", customer=min(holders))

    async def _save(self, customer: Customer) -> None:
        await self._connection.execute(SAVE, *(getattr(customer, name) for name in CUSTOMER_COLUMNS))

    async def _tickets(self, customers: Sequence[str]) -> list[str]:
        return [row["id"] for row in await self._connection.fetch(TICKETS, customers)]

    async def _tell_tickets(self, customer: Customer) -> None:
        await self._give_tickets(await self._tickets([customer.id]), customer)

    async def _give_tickets(self, ids: Sequence[str], customer: Customer) -> None:
        """Their tickets are this customer's; what is worked on follows in tier and organisation, and says so. Searches
        find them by the name they have now.
        """
        decisions: list[Decision] = []
        for ticket in (await self._store.tickets(ids)).values():
            told = customer if ticket.status_category in WORKED_ON else Customer(customer.id)
            decisions.append(identify(ticket, told, self._store.statuses, self._now, self._by))
        await self._store.save(decisions)
        await index(self._connection, ids)

    async def _name_chat(self, customer: Customer, chat: str) -> None:
        """What is still to come from a chat is this person's, and tickets of it that are nobody's yet."""
        source, _, conversation = chat.partition("/")
        told = (source, conversation, customer.email, customer.phone, customer.name)
        await self._connection.execute(NAME_CHAT, *told)
        found = await self._connection.fetch(OF_CHAT, source, conversation)
        await self._give_tickets([row["id"] for row in found], customer)


def _with(customer: Customer, **fields: Any) -> Customer:
    return replace(customer, **fields)
