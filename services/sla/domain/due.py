"""What time alone does to a ticket's clocks: warnings, breaches, and targets that become final without routing."""

from datetime import datetime

from libs.contracts.event import Event
from libs.contracts.sla import Outcome, SlaWarned
from services.sla.domain.clock import FINAL_AFTER, Clock, TicketClocks, revised
from services.sla.domain.speak import Spoken, verdict_event, with_targets
from services.sla.domain.verdicts import breach
from services.sla.rules import Rules


def next_due(ticket: TicketClocks) -> datetime | None:
    """When time alone will next have something to say of this ticket."""
    instants = [] if ticket.final else [ticket.opened_at + FINAL_AFTER]
    for clock in ticket.clocks:
        if _can_be_due(clock):
            # never after its deadline
            if clock.warn_at is not None and clock.warned is None:
                instants.append(clock.warn_at)
            elif clock.deadline is not None:
                instants.append(clock.deadline)
    return min(instants) if instants else None


def _can_be_due(clock: Clock) -> bool:
    return clock.is_ticking and clock.announced is None


def after_time(ticket: TicketClocks, due_at: datetime, now: datetime, rules: Rules) -> Spoken:
    """Everything that has become due by `due_at`, each once (behaviour L-11, W-3); what was answered is not (W-4).

    A breach by the timer is not yet a verdict: a fact that is heard later may show that somebody answered in time.
    """
    before, events = ticket, list[Event]()
    for clock in ticket.clocks:
        if _can_be_due(clock):
            told, said = _clock_after_time(clock, ticket, due_at, now, rules)
            if told is not clock:
                ticket = ticket.with_clock(told)
            events += said
    return with_targets(before, ticket, events, final=ticket.opened_at + FINAL_AFTER <= due_at)


def _clock_after_time(
    clock: Clock, ticket: TicketClocks, due_at: datetime, now: datetime, rules: Rules
) -> tuple[Clock, list[Event]]:
    if clock.deadline is not None and clock.deadline <= due_at:
        told = revised(clock, said=Outcome.BREACHED, withdrawn=False)
        return told, [verdict_event(clock, breach(clock, ticket))]
    if clock.warn_at is not None and clock.warn_at <= due_at and clock.warned is None:
        return revised(clock, warned=clock.warn_at), _warning(clock, clock.warn_at, now, rules)
    return clock, []


def _warning(clock: Clock, warn_at: datetime, now: datetime, rules: Rules) -> list[Event]:
    """The warning, unless its breach is due as well: then only that is said (behaviour L-11)."""
    if clock.deadline is None or clock.deadline <= now:
        return []
    threshold = rules.promises.warn_at
    warned = SlaWarned(
        metric=clock.metric,
        instance=clock.instance,
        threshold=threshold,
        scheduled_for=warn_at,
        deadline=clock.deadline,
    )
    return [warned]
