"""What a customer's message on a ticket that nobody works on any more becomes, as its queue wishes (behaviour H-4)."""

from datetime import datetime
from enum import StrEnum

from libs.contracts.ticket import TicketRestored
from services.intake.domain.altered import altered
from services.intake.domain.appending import message_added
from services.intake.domain.changing import reopen
from services.intake.domain.decision import By, Decision, Say
from services.intake.domain.message import Message
from services.intake.domain.removing import DELETED
from services.intake.domain.status import Statuses
from services.intake.domain.ticket import Ticket


class FollowUp(StrEnum):
    """reopen: a closed ticket is open again. new_ticket: another one begins that names it. refuse: its author is told
    that nothing is added to it any more, and the mail is kept.
    """

    REOPEN = "reopen"
    NEW_TICKET = "new_ticket"
    REFUSE = "refuse"


class Continuation(StrEnum):
    """append: as on every ticket that is worked on (S-2). reopen: only after `revive`. begin: open another one."""

    APPEND = "append"
    REOPEN = "reopen"
    BEGIN = "begin"
    REFUSE = "refuse"


OF_A_CLOSED_ONE = {
    FollowUp.REOPEN: Continuation.REOPEN,
    FollowUp.NEW_TICKET: Continuation.BEGIN,
    FollowUp.REFUSE: Continuation.REFUSE,
}


def continuation(ticket: Ticket, wished: FollowUp) -> Continuation:
    """What a participant's message on this ticket becomes; the ticket is where merges lead to (H-5)."""
    if ticket.merged_into is not None:
        # a chain of merges without an end: nothing can be added to it, and nothing may be lost
        return Continuation.BEGIN
    if ticket.is_closed or ticket.removed == DELETED:
        return OF_A_CLOSED_ONE[wished]
    return Continuation.APPEND


def revive(ticket: Ticket, statuses: Statuses, now: datetime, by: By) -> Decision:
    """A closed or deleted ticket is worked on again."""
    decision = Decision(ticket)
    if ticket.removed is not None:
        restored = altered(ticket, removed=None, version=ticket.version + 1, epoch=ticket.epoch + 1, updated_at=now)
        fact = TicketRestored(reason="its customer wrote again")
        decision = Decision(restored, (Say(fact, restored, by),))
    if decision.ticket.is_closed:
        return decision.then(reopen(decision.ticket, statuses, now, by))
    return decision


def tell_refusal(ticket: Ticket, message: Message, now: datetime, by: By) -> Decision:
    """Tell the author of a mail that the ticket takes no more; the only message that a closed ticket takes."""
    told = altered(ticket, version=ticket.version + 1, updated_at=now)
    message = altered(message, ticket_id=ticket.id, n=told.version)
    return Decision(told, (Say(message_added(message), told, by),), (message,))
