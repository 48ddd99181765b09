"""The people behind tickets. Who has an email is one person; without one, who has a phone number and no other name than
the one who is known by it; everybody else is somebody else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from libs.chassis.transaction import Connection
from services.intake.domain.message import Customer
from services.intake.domain.organisations import Organisations
from services.intake.domain.phone import phone_key
from services.intake.identities import Identities
from services.intake.rows import CUSTOMER_COLUMNS

COLUMNS = ", ".join(CUSTOMER_COLUMNS)
OF_CUSTOMER = ", ".join(f"c.{column}" for column in CUSTOMER_COLUMNS)
BY_EMAIL = f"""
SELECT {OF_CUSTOMER}, c.email AS asked FROM customers c WHERE c.email = ANY($1::text[])
UNION ALL
SELECT {OF_CUSTOMER}, i.value FROM customer_identities i JOIN customers c ON c.id = i.customer_id
WHERE i.kind = 'email' AND i.value = ANY($1::text[])
"""
BY_PHONE = f"""
SELECT {OF_CUSTOMER}, c.phone AS asked FROM customers c WHERE c.phone = ANY($1::text[])
UNION ALL
SELECT {OF_CUSTOMER}, i.value FROM customer_identities i JOIN customers c ON c.id = i.customer_id
WHERE i.kind = 'phone' AND i.value = ANY($1::text[])
ORDER BY id
"""
BY_ID = f"SELECT {COLUMNS} FROM customers WHERE id = ANY($1::text[])"
INSERT = f"""
INSERT INTO customers ({COLUMNS}, created_at)
SELECT {", ".join(f"x.{column}" for column in CUSTOMER_COLUMNS)}, $7
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) AS x({COLUMNS})
ON CONFLICT (email) WHERE email IS NOT NULL DO NOTHING
RETURNING email
"""
LEARN = """
UPDATE customers SET name = coalesce(x.name, customers.name), phone = coalesce(x.phone, customers.phone),
    tier = coalesce(x.tier, customers.tier), organisation = coalesce(x.organisation, customers.organisation)
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS x(id, name, phone, tier, organisation)
WHERE customers.id = x.id
"""
NO_ORGANISATIONS = Organisations()


ABSORB = """
WITH gone AS (
    UPDATE customers SET merged_into = x.known FROM unnest($1::text[], $2::text[]) AS x(id, known)
    WHERE customers.id = x.id AND email IS NULL AND phone IS NULL AND customers.merged_into IS NULL
    RETURNING customers.id, x.known)
UPDATE tickets SET customer_id = gone.known FROM gone WHERE tickets.customer_id = gone.id
"""


@dataclass(frozen=True, slots=True)
class Contact:
    """What is known of a person now. `email` is in lower case; what is None leaves what was known (C-5)."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    tier: str | None = None
    organisation: str | None = None


class Customers:
    """The customers of one transaction."""

    def __init__(
        self, connection: Connection, identities: Identities, organisations: Organisations = NO_ORGANISATIONS
    ) -> None:
        self._connection, self._identities, self._organisations = connection, identities, organisations

    async def of(self, contacts: Iterable[Contact]) -> list[Customer]:
        """The customer of each contact, in their order; those who were not known are made."""
        wanted = [_told(contact) if contact.phone else contact for contact in contacts]
        emails = sorted({contact.email for contact in wanted if contact.email})
        known = await self._by_email(emails) if emails else {}
        if any(contact.phone and not contact.email for contact in wanted):
            known |= await self._by_phone(wanted)
        made = self._made(wanted, known)
        lost = await self._insert(list(made.values()))
        if lost:  # somebody else made them meanwhile
            known |= await self._by_email(sorted(lost))
            made = {key: customer for key, customer in made.items() if customer.email not in lost}
        found = [self._found(place, contact, known, made) for place, contact in enumerate(wanted)]
        return await self._learn(wanted, found)

    async def with_ids(self, ids: Iterable[str]) -> dict[str, Customer]:
        """Customers by id."""
        chosen = sorted(set(ids))
        rows = await self._connection.fetch(BY_ID, chosen) if chosen else []
        return {row["id"]: Customer(*row) for row in rows}

    async def absorb(self, anonymous: Mapping[str, str]) -> None:
        """Visitors without address or number who have said who they are: their tickets are that person's (C-5)."""
        if anonymous:
            columns = list(anonymous), list(anonymous.values())
            await self._connection.execute(ABSORB, *columns)

    def _made(self, wanted: list[Contact], known: Mapping[str | int, Customer]) -> dict[str | int, Customer]:
        made: dict[str | int, Customer] = {}
        for place, contact in enumerate(wanted):
            key = contact.email or place
            if key not in known and key not in made:
                made[key] = self._customer(self._identities.new(), contact)
        return made

    def _found(
        self,
        place: int,
        contact: Contact,
        known: Mapping[str | int, Customer],
        made: Mapping[str | int, Customer],
    ) -> Customer:
        key = contact.email or place
        return known.get(key) or made[key]

    async def _by_email(self, emails: list[str]) -> dict[str | int, Customer]:
        rows = await self._connection.fetch(BY_EMAIL, emails)
        return {row["asked"]: Customer(*tuple(row)[:-1]) for row in rows}

    async def _by_phone(self, wanted: list[Contact]) -> dict[str | int, Customer]:
        """By place: whom a number alone stands for. A number of several people, or of another name, is nobody's."""
        rows = await self._connection.fetch(BY_PHONE, sorted({each.phone for each in wanted if each.phone}))
        people: dict[str, dict[str, Customer]] = {}
        for row in rows:
            people.setdefault(row["asked"], {})[row["id"]] = Customer(*tuple(row)[:-1])
        found: dict[str | int, Customer] = {}
        for place, contact in enumerate(wanted):
            known = [] if contact.email else list(people.get(contact.phone or "", {}).values())
            if len(known) == 1 and _may_be(contact.name, known[0].name):
                found[place] = known[0]
        return found

    async def _insert(self, customers: list[Customer]) -> set[str]:
        """Store new customers; the emails that somebody else had stored meanwhile."""
        if not customers:
            return set()
        rows = sorted(customers, key=lambda customer: customer.email or "")
        columns = [[getattr(each, name) for each in rows] for name in CUSTOMER_COLUMNS]
        stored = await self._connection.fetch(INSERT, *columns, self._identities.now)
        return {each.email for each in rows if each.email} - {row["email"] for row in stored}

    async def _learn(self, wanted: list[Contact], found: list[Customer]) -> list[Customer]:
        """Keep what contacts say beyond what was known of their customers."""
        learned: dict[str, Customer] = {}
        for contact, before in zip(wanted, found, strict=True):
            customer = learned.get(before.id, before)
            after = self._customer(customer.id, contact, customer)
            if after != customer:
                learned[customer.id] = after
        if learned:
            rows = sorted(learned.values(), key=lambda customer: customer.id)
            names = ("id", "name", "phone", "tier", "organisation")
            await self._connection.execute(LEARN, *([getattr(each, name) for each in rows] for name in names))
        return [learned.get(customer.id, customer) for customer in found]

    def _customer(self, id: str, contact: Contact, before: Customer | None = None) -> Customer:
        """With what a contact says; else what was known; else what the domain says."""
        known = before or Customer(id)
        email = known.email or contact.email
        ours = self._organisations.of(email)
        return Customer(
            id=id,
            name=contact.name or known.name,
            email=email,
            phone=known.phone or contact.phone,
            tier=contact.tier or known.tier or (ours.tier if ours else None),
            organisation=contact.organisation or known.organisation or (ours.key if ours else None),
        )


def _told(contact: Contact) -> Contact:
    return replace(contact, phone=phone_key(contact.phone))


def _may_be(one: str | None, other: str | None) -> bool:
    """Whether two names may be one person's: one is not known, or they are the same."""
    return not one or not other or one.casefold().split() == other.casefold().split()
