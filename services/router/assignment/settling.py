"""What a fact of intake does to a ticket and its reservation (decisions 8c)."""

from dataclasses import dataclass
from datetime import datetime

from services.router.assignment.floor import Floor
from services.router.assignment.standing import State
from services.router.assignment.ticket import Ticket


@dataclass(frozen=True, slots=True)
class Heard:
    """One fact about a ticket, as far as routing is concerned.

    cause: the decision that intake applied, if it was one. wants: the ticket was opened, reopened or restored, or a
    person cleared its assignee: it wants an agent if it has none. moved: a person chose another queue and named no
    assignee: it wants an agent of that queue.
    """

    state: State
    at: datetime
    cause: str | None = None
    wants: bool = False
    moved: bool = False
    fresh: bool = False


def hear(ticket: Ticket, heard: Heard, floor: Floor) -> None:
    """Settle the reservation, take over the state, and know whether the ticket wants an agent now."""
    refused = _settle(ticket, heard, floor)
    ticket.take(heard.state, floor)
    if not ticket.active:
        ticket.rests()
        return
    if heard.fresh:
        ticket.queued_at = None
    if _wants_agent(ticket, heard, floor, refused):
        ticket.waits(heard.at)
    elif ticket.waiting and ticket.assignee and not heard.moved and not floor.is_gone(ticket.assignee):
        ticket.rests()


def _settle(ticket: Ticket, heard: Heard, floor: Floor) -> bool:
    """Confirm the reservation, or give it back. True if it came to nothing.

    The first fact with a higher epoch decides, or the one that the decision caused, whatever its epoch.
    """
    reserved = ticket.reservation
    if reserved is None:
        return False
    caused = heard.cause == reserved.decision
    if not caused and heard.state.epoch <= reserved.epoch:
        return False
    ticket.reservation = None
    if caused and heard.state.assignee == reserved.agent:
        floor.load(reserved.agent, -1)
        return False
    floor.give_back(reserved.queue, reserved.agent)
    return True


def _wants_agent(ticket: Ticket, heard: Heard, floor: Floor, refused: bool) -> bool:
    if ticket.reservation is not None:
        return False
    if heard.moved:
        return True
    if floor.is_gone(ticket.assignee):
        return True
    return ticket.assignee is None and (heard.wants or refused)
