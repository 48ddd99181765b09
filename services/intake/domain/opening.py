"""How a ticket begins."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from libs.contracts.ticket import ConversationLink, TicketOpened
from libs.contracts.ticket import Customer as Requester
from libs.contracts.ticket_state import Priority, Scalar, StatusCategory
from services.intake.domain.altered import altered
from services.intake.domain.decision import By, Decision, Say
from services.intake.domain.message import Customer, Message, inline
from services.intake.domain.status import Statuses
from services.intake.domain.ticket import Origin, Ticket

MAX_SUBJECT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Everything known when a ticket begins.

    first: the message whose text `opened` carries. messages: those to store with the ticket; of a conversation they may
    be stored already. status: key; None = the default of category open. chosen: fields that a person set.
    opened_by_customer: False where an agent's message to the customer comes next (behaviour L-5).
    """

    id: str
    reference: str
    channel: str
    subject: str
    customer: Customer | None = None
    first: Message | None = None
    messages: tuple[Message, ...] = ()
    customer_messages: int = 0
    status: str | None = None
    priority: Priority | None = None
    assignee: str | None = None
    queue: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    custom: Mapping[str, Scalar] = field(default_factory=dict)
    language: str | None = None
    chosen: frozenset[str] = frozenset()
    created_by: str | None = None
    mailbox: str | None = None
    suppress_reply: bool = False
    conversation: ConversationLink | None = None
    intent: str | None = None
    follow_up_of: str | None = None
    split_from: str | None = None
    handoff: str | None = None
    opened_by_customer: bool = True


def open_ticket(opening: Opening, statuses: Statuses, now: datetime, by: By) -> Decision:
    """A new ticket says `opened`, its fact number 1."""
    ticket = _ticket(opening, statuses, now)
    messages = tuple(altered(message, ticket_id=ticket.id, n=1) for message in opening.messages)
    return Decision(ticket, (Say(_opened(opening, ticket), ticket, by),), messages)


def requester(customer: Customer | None) -> Requester | None:
    """The customer as facts carry them."""
    return None if customer is None else Requester(id=customer.id, name=customer.name, email=customer.email)


def follow_up(opening: Opening, closed: Ticket) -> Opening:
    """What a customer writes on a closed ticket begins another one (behaviour H-4).

    It takes over tags, custom fields, category and the subject; not priority, assignee or queue.
    """
    return replace(
        opening,
        subject=opening.subject or closed.subject,
        category=closed.category,
        tags=closed.tags,
        custom=closed.custom,
        language=opening.language or closed.language,
        follow_up_of=closed.id,
        intent=None,
    )


def subject_from(text: str) -> str:
    """A subject line made from a message: its first line, at most 80 signs, cut between words."""
    line = next((stripped for each in text.splitlines() if (stripped := " ".join(each.split()))), "")
    if len(line) <= 80:
        return line
    cut = line[:79]
    return (cut.rpartition(" ")[0] if " " in cut[40:] else cut) + "…"


def _opened(opening: Opening, ticket: Ticket) -> TicketOpened:
    first = opening.first
    text, truncated = ("", False) if first is None else inline(first.text)
    return TicketOpened(
        channel=opening.channel,
        suppress_reply=opening.suppress_reply,
        created_by=opening.created_by,
        message_id=None if first is None else first.id,
        opened_by_customer=opening.opened_by_customer,
        conversation=opening.conversation,
        follow_up_of=opening.follow_up_of,
        split_from=opening.split_from,
        subject=ticket.subject,
        text=text,
        text_truncated=truncated,
        customer=requester(opening.customer),
        mail=None if first is None else first.mail,
    )


def _origin(opening: Opening, now: datetime) -> Origin:
    conversation = opening.conversation
    return Origin(
        reference=opening.reference,
        channel=opening.channel,
        created_at=now,
        created_by=opening.created_by,
        mailbox=opening.mailbox,
        suppress_reply=opening.suppress_reply,
        source=None if conversation is None else conversation.source,
        conversation_id=None if conversation is None else conversation.conversation_id,
        intent=opening.intent,
        follow_up_of=opening.follow_up_of,
        split_from=opening.split_from,
        handoff=opening.handoff,
    )


def _ticket(opening: Opening, statuses: Statuses, now: datetime) -> Ticket:
    status = statuses.default(StatusCategory.OPEN) if opening.status is None else statuses[opening.status]
    customer = opening.customer
    return Ticket(
        id=opening.id,
        origin=_origin(opening, now),
        subject=opening.subject[:MAX_SUBJECT],
        customer_id=None if customer is None else customer.id,
        status=status.key,
        status_category=status.category,
        updated_at=now,
        priority=opening.priority,
        assignee=opening.assignee,
        queue=opening.queue,
        category=opening.category,
        tags=tuple(sorted(set(opening.tags))),
        custom=dict(opening.custom),
        tier=None if customer is None else customer.tier,
        organisation=None if customer is None else customer.organisation,
        language=opening.language,
        customer_messages=opening.customer_messages,
        set_by_person=opening.chosen,
    )
