"""A ticket without what anybody wrote (decisions 21)."""

from datetime import datetime

from libs.contracts.ticket import TicketRemoved
from services.intake.domain.altered import altered
from services.intake.domain.decision import By, Decision, Say
from services.intake.domain.ticket import Ticket

ERASED = "erased"
"""Why a ticket is removed whose contents are gone for good."""


def erase(ticket: Ticket, now: datetime, by: By) -> Decision:
    """It stays as a number with its dates; everybody who holds something of it hears that it is erased. Once."""
    if ticket.removed == ERASED:
        return Decision(ticket)
    empty = altered(
        ticket,
        subject="",
        custom={},
        removed=ERASED,
        close_at=None,
        updated_at=now,
        version=ticket.version + 1,
        epoch=ticket.epoch + 1,
    )
    return Decision(empty, (Say(TicketRemoved(reason=ERASED), empty, by),))
