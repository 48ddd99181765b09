"""Finds tickets to compare: at most 50 of the same person, and 50 of the colleagues (decisions 23, behaviour M-5)."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from libs.chassis.transaction import Connection
from services.intake.customers import BY_EMAIL
from services.intake.directory import Directory
from services.intake.domain.duplicates import NEAR, Comparison, Matter, Suspicion, ranked
from services.intake.domain.organisations import Organisations
from services.intake.domain.rights import seen
from services.intake.domain.similarity import LONGEST
from services.intake.domain.status import WORKED_ON
from services.intake.domain.suspecting import Suspected

MOST = 50
MOST_COLLEAGUES = 200
MOST_NAMESAKES = 20
COLUMNS = f"""
t.id, t.reference, t.subject, t.status, t.status_category, t.priority, t.assignee, t.queue, t.channel, t.customer_id,
t.organisation, t.custom, t.created_at, t.updated_at, c.name AS customer_name, c.email AS customer_email,
(SELECT left(m.text, {LONGEST}) FROM messages m
 WHERE m.ticket_id = t.id AND m.kind = 'customer' AND m.visibility = 'public' ORDER BY m.n LIMIT 1) AS text
"""
OF_PEOPLE = f"""
SELECT {COLUMNS} FROM tickets t LEFT JOIN customers c ON c.id = t.customer_id
WHERE t.customer_id = ANY($1::text[]) AND t.removed IS NULL AND t.merged_into IS NULL
  AND (t.status_category IN ('open', 'pending', 'on_hold') OR (t.status_category = 'resolved' AND t.updated_at > $2))
ORDER BY t.id DESC LIMIT {MOST}
"""
ONE = f"SELECT {COLUMNS} FROM tickets t LEFT JOIN customers c ON c.id = t.customer_id WHERE t.id = $1"
COLLEAGUES = f"SELECT id FROM customers WHERE organisation = $1 ORDER BY id DESC LIMIT {MOST_COLLEAGUES}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody knows who is about to create a ticket."""

    subject: str = ""
    email: str | None = None
    name: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A suspicion with the ticket as a row."""

    suspicion: Suspicion
    ticket: dict[str, Any]


class Suspects:
    """The tickets that one connection sees. unseen: custom fields that say nothing here (behaviour V-5)."""

    def __init__(
        self,
        connection: Connection,
        organisations: Organisations,
        now: datetime,
        unseen: frozenset[str] = frozenset(),
    ) -> None:
        self._connection, self._organisations, self._now = connection, organisations, now
        self._unseen = unseen

    async def before(self, wanted: Wanted) -> list[Suspect]:
        """What may be there already of what somebody is about to create; without words, all that the person has."""
        rows = await self._connection.fetch(BY_EMAIL, [wanted.email]) if wanted.email else []
        person = dict(rows[0]) if rows else {}
        ours = self._organisations.of(wanted.email)
        organisation = person.get("organisation") or (ours.key if ours else None)
        named = await Directory(self._connection).search(wanted.name, MOST_NAMESAKES) if wanted.name else []
        matter = Matter(wanted.subject, wanted.text, {}, person.get("id"), organisation, self._now)
        return await self._compared(matter, frozenset(each.id for each in named))

    async def of(self, ticket: str) -> list[Suspect] | None:
        """Other tickets that may be about the same as this one, for what they say; None if there is no such ticket."""
        row = await self._connection.fetchrow(ONE, ticket)
        if row is None:
            return None
        found = await self._compared(self._matter(dict(row)), frozenset())
        return [each for each in found if each.suspicion.is_about_the_same]

    async def compared_with(self, ticket: str) -> tuple[Matter, list[Suspected]]:
        """A ticket that is there, and what other tickets have in common with it, the likeliest first."""
        row = await self._connection.fetchrow(ONE, ticket)
        assert row is not None
        new = self._matter(dict(row))
        found = await self._compared(new, frozenset())
        return new, [
            Suspected(self._matter(each.ticket), each.suspicion, each.ticket["status_category"] in WORKED_ON)
            for each in found
        ]

    async def _compared(self, matter: Matter, namesakes: frozenset[str]) -> list[Suspect]:
        mine = {matter.customer_id} - {None} | namesakes
        rows = await self._tickets(mine)
        if matter.organisation is not None:
            colleagues = await self._connection.fetch(COLLEAGUES, matter.organisation)
            rows |= await self._tickets({row["id"] for row in colleagues} - mine)
        comparison = Comparison(matter, namesakes)
        found = []
        for row in rows.values():
            found.append(comparison.suspicion(self._matter(row)))
            await asyncio.sleep(0)  # there may be a hundred, whoever wrote them, and others want their turn
        return [Suspect(each, rows[each.ticket_id]) for each in ranked(found)]

    async def _tickets(self, customers: Collection[str | None]) -> dict[str, dict[str, Any]]:
        since = self._now - NEAR
        rows = await self._connection.fetch(OF_PEOPLE, sorted(filter(None, customers)), since) if customers else []
        return {row["id"]: dict(row) for row in rows}

    def _matter(self, row: dict[str, Any]) -> Matter:
        names = ("subject", "customer_id", "organisation", "created_at", "id", "reference")
        matter = Matter(**{name: row[name] for name in names}, text=row["text"] or "")
        return replace(matter, custom=seen(from_json(row["custom"]), self._unseen))
