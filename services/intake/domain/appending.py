"""What is written on a ticket: by customers, agents and machines, in public and as notes."""

from datetime import datetime
from typing import Any

from libs.contracts.ticket import MessageKind, TicketMessageAdded, TicketMessageHeld, TicketNoteAdded
from libs.contracts.ticket_state import StatusCategory
from services.intake.domain.altered import altered
from services.intake.domain.changing import change, closing_time, reopen
from services.intake.domain.decision import By, Decision, Refused, Say
from services.intake.domain.message import Message, Visibility, inline
from services.intake.domain.status import WAITING, Statuses
from services.intake.domain.thanks import is_thanks
from services.intake.domain.ticket import Ticket


def append_message(ticket: Ticket, message: Message, statuses: Statuses, now: datetime, by: By) -> Decision:
    """Add a public message. A customer's ends waiting in the same transaction (behaviour S-2); a machine's changes
    nothing but the ticket's messages (S-3, C-4). Refused for a closed ticket: begin a follow-up (H-4).
    """
    _refuse_closed(ticket)
    thanks = _only_thanks(ticket, message, statuses)
    written = altered(
        ticket,
        version=ticket.version + 1,
        updated_at=now,
        customer_messages=ticket.customer_messages + (message.kind is MessageKind.CUSTOMER),
        human_replies=ticket.human_replies + (message.kind is MessageKind.AGENT),
        **(_by_a_person(ticket, message, statuses, now) if message.human else {}),
    )
    message = altered(message, ticket_id=ticket.id, n=written.version, thanks=thanks or None)
    decision = Decision(written, (Say(message_added(message), written, by),), (message,))
    if message.kind is MessageKind.CUSTOMER and ticket.status_category in WAITING and not thanks:
        return decision.then(reopen(written, statuses, now, by))
    return decision


def _by_a_person(ticket: Ticket, message: Message, statuses: Statuses, now: datetime) -> dict[str, Any]:
    """What counts from a person's last message: closing, and what the status does by itself (behaviour K-1, K-2)."""
    fields: dict[str, Any] = {}
    if message.kind is MessageKind.AGENT and message.author is not None and message.author != ticket.answered_by:
        fields["answered_by"] = message.author
    if ticket.status_category is StatusCategory.RESOLVED:
        fields["close_at"] = closing_time(statuses.present(ticket.status, ticket.status_category), now)
    if ticket.waiting_since is not None:
        fields |= {"waiting_since": now, "reminders": None}
    return fields


def _only_thanks(ticket: Ticket, message: Message, statuses: Statuses) -> bool:
    """Whether it leaves a resolved ticket as it is, where that is wanted (behaviour K-4)."""
    if statuses.thanks_reopen or ticket.status_category is not StatusCategory.RESOLVED:
        return False
    names = (message.author, ticket.assignee, ticket.answered_by)
    return message.kind is MessageKind.CUSTOMER and not message.attachments and is_thanks(message.text, names)


def hold_message(ticket: Ticket, message: Message, now: datetime, by: By) -> Decision:
    """Keep a message aside: its author takes no part in the ticket, so it is not public and changes nothing until an
    agent accepts it (behaviour H-2).
    """
    _refuse_closed(ticket)
    held = altered(ticket, version=ticket.version + 1, updated_at=now)
    message = altered(message, ticket_id=ticket.id, n=held.version, visibility=Visibility.UNVERIFIED)
    return Decision(held, (Say(TicketMessageHeld(message_id=message.id), held, by),), (message,))


def reply(
    ticket: Ticket, message: Message, submit_as: str | None, statuses: Statuses, now: datetime, by: By
) -> Decision:
    """An agent's public answer, then the status it is submitted as: clocks hear the answer first (behaviour S-4)."""
    decision = append_message(ticket, message, statuses, now, by)
    if submit_as is None:
        return decision
    return decision.then(change(decision.ticket, {"status": submit_as}, statuses, now, by))


def note(ticket: Ticket, message: Message, now: datetime, by: By) -> Decision:
    """An internal note: changes no status and leaves by no way out (behaviour S-4, N-1). Refused when closed."""
    _refuse_closed(ticket)
    written = altered(ticket, version=ticket.version + 1, updated_at=now)
    message = altered(message, ticket_id=ticket.id, n=written.version, visibility=Visibility.INTERNAL, kind=None)
    fact = TicketNoteAdded(message_id=message.id, author=message.author)
    return Decision(written, (Say(fact, written, by),), (message,))


def message_added(message: Message) -> TicketMessageAdded:
    """The fact of a public message, also as it is said again from the tables."""
    assert message.kind is not None
    text, truncated = inline(message.text)
    return TicketMessageAdded(
        message_id=message.id,
        kind=message.kind,
        human=message.human,
        author=message.author if message.kind is MessageKind.AGENT else None,
        channel=message.channel,
        attachments=message.attachments,
        text=text,
        text_truncated=truncated,
        outbound=message.outbound,
        thanks=bool(message.thanks),
    )


def _refuse_closed(ticket: Ticket) -> None:
    if ticket.is_closed:
        raise Refused("a closed ticket takes no more messages; a customer's begins a follow-up", [])
