"""Tickets that leave their work and come back: merged, removed, and those that take others in (L-13, L-14)."""

from libs.contracts.event import Event
from libs.contracts.fact import Fact
from libs.contracts.sla import Metric
from libs.contracts.ticket import (
    TicketAbsorbed,
    TicketMerged,
    TicketRemoved,
    TicketRestored,
    TicketSeparated,
    TicketUnmerged,
)
from services.sla.domain.clock import Absorbed, TicketClocks, revised
from services.sla.domain.decide import with_state
from services.sla.domain.promises import under
from services.sla.domain.state import State
from services.sla.domain.verdicts import judged_anew, settled_before, settled_by, timed
from services.sla.rules import Rules


def merged(ticket: TicketClocks, fact: Fact[TicketMerged], state: State, rules: Rules) -> TicketClocks:
    """The source's open clocks are cancelled, never breached (behaviour L-13)."""
    return _leave(ticket, fact, state, "merged", rules)


def unmerged(ticket: TicketClocks, fact: Fact[TicketUnmerged], state: State, rules: Rules) -> TicketClocks:
    """They go on with what they had run; the time as part of another ticket does not count (behaviour M-2)."""
    return _return(ticket, fact, state, "unmerged", rules)


def removed(ticket: TicketClocks, fact: Fact[TicketRemoved], state: State, rules: Rules) -> TicketClocks:
    """Spam and deleted tickets have no open clocks (behaviour L-14)."""
    return _leave(ticket, fact, state, fact.data.reason, rules)


def restored(ticket: TicketClocks, fact: Fact[TicketRestored], state: State, rules: Rules) -> TicketClocks:
    """Open clocks start anew from this instant (behaviour L-14)."""
    at = ticket.moment(fact.occurred_at)
    for clock in ticket.clocks:
        if clock.is_ticking:
            ticket = ticket.with_clock(revised(clock, started_at=at))
    if ticket.starts_at is not None:
        ticket = revised(ticket, starts_at=at)
    return _return(ticket, fact, state, "restored", rules)


def _leave(ticket: TicketClocks, fact: Fact[Event], state: State, reason: str, rules: Rules) -> TicketClocks:
    at = ticket.moment(fact.occurred_at)
    after = revised(settled_before(ticket, at), out=reason)
    return timed(under(after, rules.terms_for(state), at, reason, rules), ticket, at, rules)


def _return(ticket: TicketClocks, fact: Fact[Event], state: State, cause: str, rules: Rules) -> TicketClocks:
    at = ticket.moment(fact.occurred_at)
    after = revised(ticket, out=None, running=state.running)
    if after.done != state.done:
        return timed(with_state(after, state, at, rules), None, at, rules)
    return timed(under(after, rules.terms_for(state), at, cause, rules), None, at, rules)


def absorbed(ticket: TicketClocks, fact: Fact[TicketAbsorbed], state: State, rules: Rules) -> TicketClocks:
    """Merging hides no wait: an unanswered first response counts from the earliest of the tickets (behaviour L-13)."""
    sources = tuple(Absorbed(source.id, source.created_at) for source in fact.data.sources)
    return _from_earliest(revised(ticket, absorbed=(*ticket.absorbed, *sources)), fact, rules)


def separated(ticket: TicketClocks, fact: Fact[TicketSeparated], state: State, rules: Rules) -> TicketClocks:
    """What left takes its wait along."""
    gone = {source.id for source in fact.data.sources}
    rest = tuple(source for source in ticket.absorbed if source.id not in gone)
    return _from_earliest(revised(ticket, absorbed=rest), fact, rules)


def _from_earliest(ticket: TicketClocks, fact: Fact[Event], rules: Rules) -> TicketClocks:
    at = ticket.moment(fact.occurred_at)
    after = settled_by(ticket, at)
    clock = after.last(Metric.FIRST_RESPONSE)
    if clock is None or ticket.starts_at is None or clock.verdict is not None or clock.ended_at is not None:
        return after
    start = min([ticket.starts_at, *(source.created_at for source in after.absorbed)])
    clock = judged_anew(revised(clock, started_at=start), after, at, rules)
    return timed(after.with_clock(clock), ticket, at, rules)
