"""What a ticket is promised: targets are measured from the clock's start, whatever changes on the way (L-3, L-4)."""

from datetime import datetime

from libs.contracts.sla import Metric
from services.sla.domain.clock import Clock, TicketClocks, revised
from services.sla.domain.timeline import RUNS, Moment, extended
from services.sla.domain.verdicts import judged_anew, settled_by
from services.sla.rules import Rules, Terms

NO_RESOLUTION = ~RUNS[Metric.RESOLUTION]


def bits(runs: int, done: bool, terms: Terms) -> int:
    """What runs now of what the status lets run, and in which time. No resolution while resolved (behaviour L-8)."""
    return (runs & NO_RESOLUTION if done else runs) | terms.in_calendar


def under(ticket: TicketClocks, terms: Terms, at: datetime, cause: str, rules: Rules) -> TicketClocks:
    """The ticket under these terms from `at` on. Clocks that were judged keep their verdict (behaviour L-4).

    Nothing runs while the ticket is out of work (L-13, L-14).
    """
    ticket = settled_by(ticket, at)
    runs = 0 if ticket.out else ticket.running
    timeline = extended(ticket.timeline, Moment(at, cause, bits(runs, ticket.done, terms), terms.schedule))
    same = (ticket.priority, ticket.policy, ticket.version) == (terms.priority, terms.policy, rules.version)
    if not same or timeline is not ticket.timeline:
        ticket = revised(ticket, timeline=timeline, priority=terms.priority, policy=terms.policy, version=rules.version)
    for clock in ticket.clocks:
        target = target_of(clock, terms, rules)
        if clock.verdict is None and target != clock.target:
            dropped = clock.target is not None and target is None
            changed = revised(clock, target=target, dropped=dropped)
            ticket = ticket.with_clock(judged_anew(changed, ticket, at, rules))
    return ticket


def target_of(clock: Clock, terms: Terms, rules: Rules) -> int | None:
    """Seconds allowed for this instance: a reopened resolution clock gets what the policy leaves it (L-8)."""
    target = terms.target(clock.metric)
    if target is None or clock.metric is not Metric.RESOLUTION or clock.instance == 1:
        return target
    return rules.promises.reopen.allowed(target, clock.carried)
