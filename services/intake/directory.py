"""Looks people up: by what they are called, what they are known by, and what is theirs. Nothing here locks anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from libs.chassis.transaction import Connection
from services.intake.customers import OF_CUSTOMER
from services.intake.domain.message import Customer
from services.intake.domain.phone import phone_key

# what is stored in few places is found without an index of its own: sources are few
SEARCH = f"""
WITH RECURSIVE sources(source) AS (
    (SELECT source FROM conversations ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (SELECT c.source FROM conversations c WHERE c.source > sources.source ORDER BY c.source LIMIT 1)
    FROM sources WHERE sources.source IS NOT NULL
), found(id, exact) AS (
    (SELECT id, email = $1 FROM customers WHERE email LIKE $2 ORDER BY (email = $1) DESC, email LIMIT $5)
    UNION ALL
    (SELECT id, false FROM customers WHERE lower(name) LIKE $2 ORDER BY id LIMIT $5)
    UNION ALL
    (SELECT id, true FROM customers WHERE phone = $3 LIMIT $5)
    UNION ALL
    (SELECT customer_id, value = $1 FROM customer_identities WHERE kind = 'email' AND value LIKE $2 LIMIT $5)
    UNION ALL
    (SELECT customer_id, true FROM customer_identities
     WHERE (kind = 'phone' AND value = $3) OR (kind = 'chat' AND value = $4) LIMIT $5)
    UNION ALL
    (SELECT t.customer_id, true FROM sources
     JOIN tickets t ON t.source = sources.source AND t.conversation_id IN ($4, substr($4, length(t.source) + 2))
     WHERE sources.source IS NOT NULL LIMIT $5)
)
SELECT {OF_CUSTOMER} FROM customers c JOIN (SELECT id, bool_or(exact) AS exact FROM found GROUP BY id) f USING (id)
WHERE c.merged_into IS NULL AND c.erased_at IS NULL AND ($6::text IS NULL OR c.organisation = $6)
ORDER BY f.exact DESC NULLS LAST, c.email NULLS LAST, c.id LIMIT $5
"""
OF_ORGANISATION = f"""
SELECT {OF_CUSTOMER} FROM customers c
WHERE c.organisation = $1 AND c.merged_into IS NULL AND c.erased_at IS NULL ORDER BY c.id DESC LIMIT $2
"""
ONE = f"SELECT {OF_CUSTOMER}, c.merged_into, c.legal_hold, c.erased_at, c.created_at FROM customers c WHERE c.id = $1"
IDENTITIES = "SELECT kind, value, linked_at FROM customer_identities WHERE customer_id = $1 ORDER BY kind, value"
TICKETS = """
SELECT id, reference, subject, channel, status, status_category, priority, created_at, updated_at, merged_into
FROM tickets WHERE customer_id = $1 AND removed IS NULL ORDER BY id DESC LIMIT $2
"""
CHATS = """
SELECT DISTINCT source || '/' || conversation_id AS value FROM tickets
WHERE customer_id = $1 AND source IS NOT NULL ORDER BY 1 LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Everything that the directory shows of one. identities: (kind, value), the first address and number first."""

    customer: Customer
    created_at: datetime
    merged_into: str | None
    legal_hold: str | None
    erased_at: datetime | None
    identities: Sequence[tuple[str, str]]


class Directory:
    """The people as one connection sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def search(self, text: str, limit: int, organisation: str | None = None) -> list[Customer]:
        """By the beginning of an email or a name, by a phone number, by the id of a chat; exact matches first."""
        folded = text.strip().lower()
        pattern = folded.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        wanted = (folded, pattern, phone_key(text), text.strip(), limit, organisation)
        return [Customer(*row) for row in await self._connection.fetch(SEARCH, *wanted)]

    async def of_organisation(self, organisation: str, limit: int) -> list[Customer]:
        """Those who came last first."""
        return [Customer(*row) for row in await self._connection.fetch(OF_ORGANISATION, organisation, limit)]

    async def person(self, id: str) -> Person | None:
        """One person; None if there is nobody."""
        row = await self._connection.fetchrow(ONE, id)
        if row is None:
            return None
        *known, merged_into, legal_hold, erased_at, created_at = row
        customer = Customer(*known)
        own = [("email", customer.email), ("phone", customer.phone)]
        linked = [(each["kind"], each["value"]) for each in await self._connection.fetch(IDENTITIES, id)]
        chats = [("chat", each["value"]) for each in await self._connection.fetch(CHATS, id)]
        known_by = dict.fromkeys([(kind, value) for kind, value in own if value is not None] + linked + chats)
        return Person(customer, created_at, merged_into, legal_hold, erased_at, list(known_by))

    async def tickets(self, id: str, limit: int) -> list[dict[str, Any]]:
        """Their tickets, the newest first."""
        return [dict(row) for row in await self._connection.fetch(TICKETS, id, limit)]
