"""What a customer can still say by the link of the word that their ticket is resolved (behaviour K-3)."""

from enum import StrEnum

from libs.contracts.ticket_state import StatusCategory
from services.intake.domain.status import WORKED_ON
from services.intake.domain.ticket import Ticket


class Standing(StrEnum):
    """How a ticket stands to its customer. OVER: it is closed, or gone, and nothing opens it again."""

    RESOLVED = "resolved"
    OPEN = "open"
    OVER = "over"


def standing(ticket: Ticket | None) -> Standing:
    """Of the ticket that a link leads to; None where it leads nowhere."""
    if ticket is None or ticket.removed is not None or ticket.merged_into is not None:
        return Standing.OVER
    if ticket.status_category in WORKED_ON:
        return Standing.OPEN
    return Standing.RESOLVED if ticket.status_category is StatusCategory.RESOLVED else Standing.OVER
