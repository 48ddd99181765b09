"""Notices to our own people: warnings and breaches of promises, assignments, mails that came back (behaviour W-2)."""

from datetime import UTC, datetime

from libs.contracts.fact import Fact
from libs.contracts.notice import NoticeKind
from libs.contracts.sla import Outcome, SlaDecided, SlaWarned
from libs.contracts.ticket import TicketChanged, TicketDeliveryFailed
from services.notifier.domain.desk import Desk
from services.notifier.domain.promise import written
from services.notifier.domain.ticket import Ticket
from services.notifier.templates import Values

NO_SUCH_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
"""What servers say of addresses that do not exist or moved away (RFC 3463, 3.2; RFC 7505)."""


def recipients(ticket: Ticket, desk: Desk) -> list[str]:
    """Who is warned (behaviour W-2): the assignee if at work; the lead of the queue too if not, or if nobody has it.

    Where that gives no address, the fallback recipients.
    """
    queue = desk.queues.get(ticket.queue) if ticket.queue else None
    assignee = desk.agents.get(ticket.assignee) if ticket.assignee else None
    lead = desk.agents.get(queue.lead) if queue and queue.lead else None
    wanted = [assignee] if assignee and assignee.is_working and assignee.email else [assignee, lead]
    found = [agent.email for agent in wanted if agent is not None and agent.email]
    return found or list(desk.config.mail.fallback_recipients)


def warn(fact: Fact[SlaWarned], desk: Desk) -> None:
    """Most of the time is over and nobody has answered (behaviour W-1)."""
    ticket, said = desk.ticket(fact.subject), fact.data
    values: Values = {
        "metric": _words(said.metric.value),
        "deadline": _moment(said.deadline, ticket, desk),
        "share": round(said.threshold * 100),
    }
    desk.to_people(fact, NoticeKind.SLA_WARNING, ticket, recipients(ticket, desk), values)


def tell_breach(fact: Fact[SlaDecided], desk: Desk) -> None:
    """A promise was not kept."""
    ticket, said = desk.ticket(fact.subject), fact.data
    if said.outcome is not Outcome.BREACHED:
        return
    values: Values = {
        "metric": _words(said.metric.value),
        "deadline": _moment(said.deadline, ticket, desk),
        "share": 100,
    }
    desk.to_people(fact, NoticeKind.SLA_BREACH, ticket, recipients(ticket, desk), values)


def tell_assignee(fact: Fact[TicketChanged], ticket: Ticket, desk: Desk) -> None:
    """Somebody else gave them the ticket."""
    agent = desk.agents.get(ticket.assignee or "")
    if agent is None or agent.email is None or fact.actor == f"agent:{agent.key}":
        return
    desk.to_people(fact, NoticeKind.ASSIGNED, ticket, [agent.email], {})


def tell_delivery_failed(fact: Fact[TicketDeliveryFailed], desk: Desk) -> None:
    """A mail came back (behaviour A-6): whoever has the ticket has to know."""
    ticket, said = desk.ticket(fact.subject), fact.data
    ticket.undeliverable = ticket.undeliverable or said.permanent
    if said.permanent and said.status in NO_SUCH_ADDRESS and ticket.customer_email:
        desk.failed.append(ticket.customer_email)
    values: Values = {"permanent": said.permanent, "status": said.status}
    desk.to_people(fact, NoticeKind.DELIVERY_FAILED, ticket, recipients(ticket, desk), values)


def _words(metric: str) -> str:
    return metric.replace("_", " ")


def _moment(deadline: datetime, ticket: Ticket, desk: Desk) -> str:
    hours, mail = desk.hours(ticket), desk.config.mail
    local = deadline.astimezone(hours.zone if hours else UTC)
    return written(local, mail.languages[mail.default_language])
