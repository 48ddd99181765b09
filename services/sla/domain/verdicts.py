"""How clocks are timed and judged. A breach is dated by its deadline, an answer by itself (behaviour L-10)."""

from datetime import datetime

from libs.contracts.sla import Metric, Outcome
from services.sla.domain.clock import Clock, TicketClocks, Verdict, revised
from services.sla.domain.timeline import RUNS, Moment, Timeline, elapsed, reached
from services.sla.rules import Rules


def settled_before(ticket: TicketClocks, at: datetime) -> TicketClocks:
    """Every clock whose deadline lies before `at` is breached at its deadline, however late that is noticed (L-10)."""
    for clock in ticket.clocks:
        if clock.deadline is not None and clock.deadline < at and clock.is_ticking:
            ticket = ticket.with_clock(breached(clock, ticket))
    return ticket


def settled_by(ticket: TicketClocks, at: datetime) -> TicketClocks:
    """The same, with clocks that are due at `at` itself: call it once what fulfils a clock at `at` has done so."""
    for clock in ticket.clocks:
        if clock.deadline is not None and clock.deadline <= at and clock.is_ticking:
            ticket = ticket.with_clock(breached(clock, ticket))
    return ticket


def breached(clock: Clock, ticket: TicketClocks) -> Clock:
    """The clock, breached at its deadline."""
    return revised(clock, verdict=breach(clock, ticket), warn_at=None)


def breach(clock: Clock, ticket: TicketClocks) -> Verdict:
    """The verdict on a clock that reached its deadline."""
    assert clock.deadline is not None
    assert clock.target is not None
    due = clock.deadline
    return Verdict(Outcome.BREACHED, due, due, "deadline_passed", clock.target, ticket.priority, ticket.version)


def breach_by_timer(clock: Clock, ticket: TicketClocks) -> Verdict | None:
    """The breach that a timer announced and that nothing heard since has taken back (decisions 13)."""
    if clock.announced is not Outcome.BREACHED or not clock.is_ticking or clock.deadline is None:
        return None
    return breach(clock, ticket)


def fulfilled(clock: Clock, ticket: TicketClocks, at: datetime, cause: str, rules: Rules) -> Clock:
    """The clock, answered or resolved at `at`: met, unless it was breached before (call `settled_before` first)."""
    ended = revised(clock, ended_at=max(at, clock.started_at), warn_at=None)
    if clock.verdict is not None or clock.target is None:
        return ended
    return revised(ended, verdict=_met(ended, ticket, cause, rules))


def judged_anew(clock: Clock, ticket: TicketClocks, at: datetime, rules: Rules) -> Clock:
    """A clock whose target or start was changed at `at` (behaviour L-4): what ran already counts.

    If that is the whole new target, the clock is breached now, not earlier, and the verdict says so.
    """
    if clock.target is None:
        return revised(clock, deadline=None, warn_at=None)
    ran = elapsed(ticket.timeline, clock.metric, clock.started_at, clock.ended_at or at, rules)
    if ran > clock.target or (ran == clock.target and clock.ended_at is None):
        return revised(clock, verdict=_breached_by_change(clock, ticket, at, ran, rules), warn_at=None)
    if clock.ended_at is not None:
        cause = "resolved" if ticket.done else "answered"
        return revised(clock, verdict=_met(clock, ticket, cause, rules))
    return clock


def timed(ticket: TicketClocks, before: TicketClocks | None, at: datetime, rules: Rules) -> TicketClocks:
    """The same with deadlines and warning instants of the clocks that a fact at `at` may have moved (L-1, W-1)."""
    if before is not None and before.timeline is ticket.timeline:
        if before.clocks is ticket.clocks:
            return ticket
        known = {id(clock) for clock in before.clocks}
    else:
        known = set()
    moved = {id(clock) for clock in ticket.clocks if clock.is_ticking} - known
    if not moved:
        return ticket
    clocks = [_timed(clock, ticket, at, rules) if id(clock) in moved else clock for clock in ticket.clocks]
    return revised(ticket, clocks=tuple(clocks))


def _timed(clock: Clock, ticket: TicketClocks, at: datetime, rules: Rules) -> Clock:
    assert clock.target is not None
    deadline = reached(ticket.timeline, clock.metric, clock.started_at, clock.target, rules)
    if deadline is not None and deadline <= at:
        return breached(revised(clock, deadline=deadline), ticket)
    if not ticket.now_runs.runs(clock.metric):
        return revised(clock, deadline=None, warn_at=None)
    warn_at = warning(clock, ticket.timeline, rules)
    return revised(clock, deadline=deadline, warn_at=_not_back_dated(warn_at, clock, at))


def warning(clock: Clock, timeline: Timeline, rules: Rules) -> datetime | None:
    """The instant at which the share of the target that warns has run (behaviour W-1)."""
    share = (clock.target or 0) * rules.promises.warn_at
    return reached(timeline, clock.metric, clock.started_at, share, rules)


def started(metric: Metric, at: datetime, target: int | None, timeline: Timeline, rules: Rules) -> Clock:
    """The first clock of a metric, on a timeline that begins with it."""
    clock = Clock(metric, 1, at, target)
    if target is None or not timeline[-1].runs(metric):
        return clock
    deadline = reached(timeline, metric, at, target, rules)
    return Clock(metric, 1, at, target, deadline, warning(clock, timeline, rules))


def _not_back_dated(warn_at: datetime | None, clock: Clock, at: datetime) -> datetime | None:
    """A warning that a change brought into the past is due at the change; one that was due before it stays."""
    if warn_at is None or warn_at >= at:
        return warn_at
    return clock.warn_at if clock.warn_at is not None and clock.warn_at <= at else max(at, clock.started_at)


def _met(clock: Clock, ticket: TicketClocks, cause: str, rules: Rules) -> Verdict:
    assert clock.ended_at is not None
    at = clock.ended_at
    ran = elapsed(ticket.timeline, clock.metric, clock.started_at, at, rules)
    deadline = clock.deadline or _deadline_if_it_ran(clock, ticket, at, rules)
    return Verdict(Outcome.MET, at, deadline, cause, ran, ticket.priority, ticket.version)


def _breached_by_change(clock: Clock, ticket: TicketClocks, at: datetime, ran: float, rules: Rules) -> Verdict:
    assert clock.target is not None
    deadline = reached(ticket.timeline, clock.metric, clock.started_at, clock.target, rules) or at
    return Verdict(
        Outcome.BREACHED, at, deadline, "policy_change", ran, ticket.priority, ticket.version, on_change=True
    )


def _deadline_if_it_ran(clock: Clock, ticket: TicketClocks, at: datetime, rules: Rules) -> datetime:
    """The deadline of a clock that stands still at `at`, had it run on from there."""
    last = ticket.now_runs
    going_on = Moment(max(at, last.at), "", last.bits | RUNS[clock.metric], last.schedule)
    assert clock.target is not None
    due = reached((*ticket.timeline, going_on), clock.metric, clock.started_at, clock.target, rules)
    return due or at
