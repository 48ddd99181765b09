"""What a customer thinks of the work (behaviour K-5)."""

from datetime import datetime

from libs.contracts.ticket import TicketRated
from services.intake.domain.altered import altered
from services.intake.domain.decision import By, Decision, Refused, Say
from services.intake.domain.ticket import Ticket


def rate(ticket: Ticket, score: int, now: datetime, by: By) -> Decision:
    """Keep the rating and say whom it is attributed to; the last one counts, the same again says nothing.

    Who is rated does not rate: Refused.
    """
    rated = attributed(ticket)
    if by.agent is not None and by.agent in rated:
        raise Refused(f"{by.agent} cannot rate a ticket that is rated for {by.agent}", [])
    if ticket.rating == score:
        return Decision(ticket)
    after = altered(ticket, rating=score, version=ticket.version + 1, updated_at=now)
    return Decision(after, (Say(TicketRated(score=score, agents=rated), after, by),))


def attributed(ticket: Ticket) -> tuple[str, ...]:
    """The author of the last public answer before it was resolved, then whoever had it then; before that, as it is."""
    answered, owner = ticket.answered_by, ticket.resolved_owner or ticket.assignee
    return tuple(dict.fromkeys(agent for agent in (answered, owner) if agent is not None))
