"""An answer of ours that came back (behaviour A-6)."""

from dataclasses import dataclass
from datetime import datetime

from libs.contracts.ticket import TicketDeliveryFailed
from libs.contracts.ticket_state import StatusCategory
from services.intake.domain.altered import altered
from services.intake.domain.changing import reopen
from services.intake.domain.decision import By, Decision, Say
from services.intake.domain.status import Statuses
from services.intake.domain.ticket import Ticket

BOUNCED, DELAYED = "bounced", "delayed"
"""What `messages.delivery` says after a report, for good and for now."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What was reported of one message; status: enhanced code, e.g. 5.1.1, or None."""

    message_id: str
    permanent: bool
    status: str | None = None

    @property
    def delivery(self) -> str:
        """How the message stands now."""
        return BOUNCED if self.permanent else DELAYED


def is_news(failure: Failure, delivery: str | None) -> bool:
    """Whether the report says more than is known; one report after another must not go round for ever."""
    return delivery not in ((BOUNCED,) if failure.permanent else (BOUNCED, DELAYED))


def delivery_failed(
    ticket: Ticket, failure: Failure, statuses: Statuses, now: datetime, by: By, *, reopens: bool
) -> Decision:
    """Say that an answer did not arrive; a resolved ticket is open again if it failed for good and that is wished."""
    told = altered(ticket, version=ticket.version + 1, updated_at=now)
    fact = TicketDeliveryFailed(message_id=failure.message_id, permanent=failure.permanent, status=failure.status)
    decision = Decision(told, (Say(fact, told, by),))
    if reopens and failure.permanent and ticket.status_category is StatusCategory.RESOLVED:
        return decision.then(reopen(told, statuses, now, by))
    return decision
