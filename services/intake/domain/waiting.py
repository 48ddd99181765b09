"""What happens to a ticket that nobody writes on: reminders, and the step its status takes by itself (S-1, K-2)."""

from dataclasses import dataclass
from datetime import datetime

from libs.contracts.ticket import TicketReminderDue
from libs.contracts.ticket_state import StatusCategory
from services.intake.domain.altered import altered
from services.intake.domain.changing import move
from services.intake.domain.decision import By, Decision, Say
from services.intake.domain.status import Status, Statuses
from services.intake.domain.ticket import Ticket
from services.intake.domain.via import Via, through

WAITED = By("system", cause=through(Via.TIMER, "waiting"))


@dataclass(frozen=True, slots=True)
class Step:
    """What comes next, and when. to: the status it moves to; None for a reminder."""

    due: datetime
    to: str | None = None


def next_step(ticket: Ticket, statuses: Statuses) -> Step | None:
    """The next reminder or move of a ticket in this status; None where nothing comes by itself.

    Resolved tickets close by `close_at`; removed and merged ones wait for nothing.
    """
    since = ticket.waiting_since
    if since is None or ticket.removed is not None or ticket.status_category is StatusCategory.RESOLVED:
        return None
    status = statuses.present(ticket.status, ticket.status_category)
    moving = None if status.automatic is None else Step(status.automatic.after.added_to(since), status.automatic.to)
    reminder = _reminder(status, since, ticket.reminders or 0)
    if reminder is not None and (moving is None or reminder.due < moving.due):
        return reminder
    return moving


def take_step(ticket: Ticket, statuses: Statuses, now: datetime) -> Decision:
    """Take the step whose time has come. After a downtime a move comes instead of the reminders before it."""
    step = next_step(ticket, statuses)
    if step is None or step.due > now:
        return Decision(ticket)
    status = statuses.present(ticket.status, ticket.status_category)
    assert ticket.waiting_since is not None
    moves_at = None if status.automatic is None else status.automatic.after.added_to(ticket.waiting_since)
    if status.automatic is not None and moves_at is not None and moves_at <= now:
        return move(ticket, statuses[status.automatic.to], statuses, now, WAITED)
    number = (ticket.reminders or 0) + 1
    reminded = altered(ticket, version=ticket.version + 1, updated_at=now, reminders=number)
    fact = TicketReminderDue(number=number, waiting_since=ticket.waiting_since, moves_at=moves_at)
    return Decision(reminded, (Say(fact, reminded, WAITED),))


def _reminder(status: Status, since: datetime, given: int) -> Step | None:
    return Step(status.reminders[given].added_to(since)) if given < len(status.reminders) else None
