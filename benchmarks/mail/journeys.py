"""What became of every mail, read from intake's tables and the stream of facts after the run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg

from benchmarks.generated_mails import Generated
from benchmarks.pipeline.journeys import facts, stored_at
from benchmarks.pipeline.system import System
from libs.contracts.event import About, Event, about
from libs.contracts.fact import Fact, read_fact
from libs.contracts.sla import TargetsSet
from libs.contracts.ticket import TicketChanged, TicketMessageAdded, TicketOpened

STORED = "SELECT mail->>'message_id' AS mail, ticket_id FROM intake.messages WHERE mail IS NOT NULL"
LEDGER = "SELECT disposition, count(*) AS mails FROM intake.inbound_mail GROUP BY disposition"


@dataclass(slots=True)
class Ticket:
    """What was said about one. routed_at, timed_at: when the stream had it first, seconds since 1970."""

    opened: int = 0
    messages: int = 0
    routed_at: float | None = None
    timed_at: float | None = None
    last_message_at: float = 0.0
    _seen: set[tuple[str, int]] = field(default_factory=set)

    def hear(self, fact: Fact[Event], stored: float) -> None:
        """Take a fact in; one that was published twice counts once, as for every hearer."""
        if (fact.speaker.value, fact.n) in self._seen:
            return
        self._seen.add((fact.speaker.value, fact.n))
        if fact.type == TicketOpened.TYPE:
            self.opened += 1
            self.last_message_at = max(self.last_message_at, stored)
        elif fact.type == TicketMessageAdded.TYPE:
            self.messages += 1
            self.last_message_at = max(self.last_message_at, stored)
        elif fact.type == TargetsSet.TYPE:
            self.timed_at = self.timed_at or stored
        elif fact.type == TicketChanged.TYPE and fact.cause is not None:
            # intake says what it applied, with the decision as its cause (decisions 8)
            self.routed_at = self.routed_at or stored

    @property
    def complete(self) -> bool:
        """Whether it was opened, routed and timed."""
        return self.opened > 0 and self.routed_at is not None and self.timed_at is not None

    @property
    def done_at(self) -> float:
        """When the last of it was said."""
        return max(self.routed_at or 0.0, self.timed_at or 0.0, self.last_message_at)


@dataclass(frozen=True, slots=True)
class Outcome:
    """places: ticket of each Message-ID, one for each message that was stored under it."""

    tickets: Mapping[str, Ticket]
    places: Mapping[str, Sequence[str]]
    ledger: Mapping[str, int]

    def done_at(self, mails: Iterable[Generated]) -> float:
        """When the last of these mails was in a ticket that is routed and timed."""
        found = (self.tickets.get(ticket) for mail in mails for ticket in self.places.get(mail.id, ()))
        return max((ticket.done_at for ticket in found if ticket is not None), default=0.0)


async def read_outcome(system: System) -> Outcome:
    """Everything about all mails."""
    tickets: dict[str, Ticket] = {}
    async for frame in facts(system):
        fact = read_fact(frame.subject.decode(), frame.headers, frame.payload)
        if about(fact.subject) is About.TICKET:
            tickets.setdefault(fact.subject, Ticket()).hear(fact, stored_at(frame))
    connection = await asyncpg.connect(system.postgres)
    places: dict[str, list[str]] = {}
    for row in await connection.fetch(STORED):
        places.setdefault(row["mail"], []).append(row["ticket_id"])
    ledger = {row["disposition"]: row["mails"] for row in await connection.fetch(LEDGER)}
    await connection.close()
    return Outcome(tickets, places, ledger)


@dataclass(frozen=True, slots=True)
class Account:
    """lost: mails without a message, or in a ticket that is not routed or timed, or apart from the mail they answer.
    duplicated: messages and tickets too many.
    """

    lost: int
    duplicated: int


def account(mails: Sequence[Generated], outcome: Outcome) -> Account:
    """Every mail against what became of it."""
    lost = sum(not _arrived(mail, outcome) for mail in mails)
    surplus = sum(len(found) - 1 for found in outcome.places.values())
    beginnings = sum(mail.answers is None for mail in mails)
    opened = sum(ticket.opened for ticket in outcome.tickets.values())
    return Account(lost, surplus + max(0, opened - beginnings))


def _arrived(mail: Generated, outcome: Outcome) -> bool:
    places = outcome.places.get(mail.id, ())
    if not places or (mail.answers is not None and outcome.places.get(mail.answers.id, ()) != places):
        return False
    ticket = outcome.tickets.get(places[0])
    return ticket is not None and ticket.complete
