"""What decisions are made with: the facts' tickets, the people, the configuration and the time; and what they made."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from libs.contracts.event import Event
from libs.contracts.fact import Fact
from libs.contracts.notice import NoticeKind
from libs.contracts.routing import AgentChanged, Presence, QueueChanged
from services.notifier.configuration import Hours, NotifierConfiguration
from services.notifier.domain.notice import Notice, Verdict, Way
from services.notifier.domain.outcome import AUTOMATIC_LASTS
from services.notifier.domain.rate import Earlier, limited_domain
from services.notifier.domain.ticket import Ticket
from services.notifier.templates import Rendered, Values


@dataclass(frozen=True, slots=True)
class Agent:
    """Whom a notice can go to."""

    key: str
    email: str | None
    is_working: bool

    @classmethod
    def of(cls, fact: AgentChanged) -> "Agent":
        """As the router says they are; who left the team is not written to."""
        return cls(fact.key, fact.email if fact.active else None, fact.active and fact.presence is Presence.ONLINE)


@dataclass(frozen=True, slots=True)
class Queue:
    """Its lead, and the schedule that tells whether somebody is there."""

    key: str
    lead: str | None
    schedule: str | None

    @classmethod
    def of(cls, fact: QueueChanged) -> "Queue":
        return cls(fact.key, fact.lead, fact.schedule)


def no_link(ticket: str) -> None:
    """Nobody knows how browsers reach intake."""


@dataclass(slots=True)
class Desk:
    """One batch. earlier: acknowledgments by recipient, of the last day; to_domains: how many of the last hour, by
    domain that has a limit.
    """

    config: NotifierConfiguration
    now: datetime
    tickets: dict[str, Ticket] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    queues: dict[str, Queue] = field(default_factory=dict)
    earlier: dict[str, list[Earlier]] = field(default_factory=dict)
    to_domains: Counter[str] = field(default_factory=Counter)
    dead: set[str] = field(default_factory=set)
    """Of the addresses to acknowledge to, those that do not exist."""
    failed: list[str] = field(default_factory=list)
    """Addresses that were said not to exist now, once for each answer that came back."""
    forgotten: list[str] = field(default_factory=list)
    """Addresses of people who were erased."""
    notices: list[Notice] = field(default_factory=list)
    acknowledge: dict[str, str | None] = field(default_factory=dict)
    """Tickets to acknowledge, with the trace of the fact that makes it possible."""
    silenced: dict[str, str] = field(default_factory=dict)
    """Tickets whose waiting automatic notices must not leave any more, and why."""
    changed_agents: dict[str, Agent] = field(default_factory=dict)
    changed_queues: dict[str, Queue] = field(default_factory=dict)
    reopen_link: Callable[[str], str | None] = no_link
    """The link by which a customer opens a ticket again, by its id (behaviour K-3)."""

    def ticket(self, id: str) -> Ticket:
        """The ticket, a new one if nothing was heard of it."""
        ticket = self.tickets.get(id)
        if ticket is None:
            ticket = self.tickets[id] = Ticket(id)
        return ticket

    def limited_domain(self, address: str) -> str | None:
        """The domain of an address whose acknowledgments are limited together (behaviour A-4)."""
        return limited_domain(address, self.config.free_mail, self.config.mail.acknowledgment)

    @property
    def most_to_a_domain(self) -> int:
        """How many acknowledgments a domain gets within an hour, where it has a limit; 0 if none has."""
        return self.config.mail.acknowledgment.per_domain_and_hour or 0

    def hours(self, ticket: Ticket) -> Hours | None:
        """The hours of the ticket's queue (behaviour T-1), else of its clocks."""
        queue = self.queues.get(ticket.queue) if ticket.queue else None
        clocks = ticket.promise.schedule if ticket.promise else None
        return self.config.schedules.get((queue and queue.schedule) or clocks or "")

    def render(self, template: str, language: str | None, values: Values) -> Rendered:
        """A text in the ticket's language."""
        return self.config.templates.render(template, language, values)

    def to_people(
        self,
        fact: Fact[Event],
        kind: NoticeKind,
        ticket: Ticket,
        recipients: Sequence[str],
        values: Values,
    ) -> None:
        """A notice to each of our own people, with the template of that kind; one that says so if there is nobody."""
        owners = {"queue": ticket.queue, "assignee": ticket.assignee}
        content = self.render(kind.value, None, {"reference": ticket.reference or ticket.id, **owners, **values})
        for recipient in dict.fromkeys(recipients) or [""]:
            notice = Notice(
                ticket=ticket.id,
                kind=kind,
                way=Way.MAIL,
                cause=fact.id,
                recipient=recipient,
                automatic=True,
                fact_at=fact.occurred_at,
                created_at=self.now,
                subject=content.subject,
                text=content.text,
                sender=self.config.mail.sender(ticket.mailbox),
                trace=fact.trace,
            )
            if not recipient:
                notice.suppress("nobody is there to be told", Verdict.UNDELIVERABLE)
            elif self.now - fact.occurred_at > AUTOMATIC_LASTS:
                notice.suppress("its cause is older than 24 hours")
            self.notices.append(notice)
