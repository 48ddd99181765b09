"""Taking a ticket out of work, and back (behaviour L-14). Nothing is deleted: erasing is another thing."""

from datetime import datetime

from libs.contracts.ticket import TicketRemoved, TicketRestored
from libs.contracts.ticket_state import StatusCategory
from services.intake.domain.altered import altered
from services.intake.domain.changing import closing_time
from services.intake.domain.decision import By, Decision, Refused, Say
from services.intake.domain.status import Statuses
from services.intake.domain.ticket import Ticket

SPAM, DELETED = "spam", "deleted"


def remove(ticket: Ticket, reason: str, now: datetime, by: By) -> Decision:
    """Spam or deleted: it is in no list, nobody's load, and its clocks are cancelled. Says nothing if it is so already.

    Refused for a ticket that was merged: its target is what people see.
    """
    if ticket.removed == reason:
        return Decision(ticket)
    if ticket.removed is not None or ticket.merged_into is not None:
        raise Refused(f"the ticket is {ticket.removed or 'part of another one'}", [])
    removed = altered(
        ticket,
        removed=reason,
        spam=reason == SPAM,
        close_at=None,
        version=ticket.version + 1,
        epoch=ticket.epoch + 1,
        updated_at=now,
    )
    return Decision(removed, (Say(TicketRemoved(reason=reason), removed, by),))


def restore(ticket: Ticket, reason: str, statuses: Statuses, now: datetime, by: By) -> Decision:
    """It is worked on again, in the status it had; what it waits for counts from now. Refused for what was erased."""
    if ticket.removed is None:
        return Decision(ticket)
    if ticket.removed == "erased":
        raise Refused("what was erased cannot come back", [])
    resolved = ticket.status_category is StatusCategory.RESOLVED
    status = statuses.present(ticket.status, ticket.status_category)
    restored = altered(
        ticket,
        removed=None,
        spam=False,
        close_at=closing_time(status, now) if resolved else None,
        waiting_since=None if ticket.waiting_since is None else now,
        version=ticket.version + 1,
        epoch=ticket.epoch + 1,
        updated_at=now,
    )
    return Decision(restored, (Say(TicketRestored(reason=reason), restored, by),))
