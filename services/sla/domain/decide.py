"""What each fact does to the clocks of its ticket: one small total function for each event."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from pydantic_core import from_json

from libs.contracts.event import Event
from libs.contracts.fact import Fact
from libs.contracts.sla import Metric, Outcome
from libs.contracts.ticket import (
    MessageKind,
    TicketChanged,
    TicketDeliveryFailed,
    TicketMessageAdded,
    TicketOpened,
)
from services.sla.domain.clock import Answer, Clock, TicketClocks, revised
from services.sla.domain.promises import bits, target_of, under
from services.sla.domain.state import State
from services.sla.domain.timeline import Moment, elapsed, reached
from services.sla.domain.verdicts import breached, fulfilled, settled_before, started, timed
from services.sla.rules import Rules, Terms

ANSWERS_KEPT = 8

E = TypeVar("E", bound=Event)
Decide = Callable[[TicketClocks, Fact[E], State, Rules], TicketClocks]


def opened(fact: Fact[TicketOpened], state: State, rules: Rules) -> TicketClocks:
    """Both clocks start at creation (L-5, L-8); the first response of a ticket that we began waits for the customer."""
    # a model with the customer's words would take four times as long
    said: Mapping[str, Any] = from_json(fact.payload)
    theirs, created_at, terms = said.get("opened_by_customer", True), state.created_at, rules.terms_for(state)
    timeline = (Moment(created_at, "opened", bits(state.running, state.done, terms), terms.schedule),)
    metrics = (Metric.FIRST_RESPONSE, Metric.RESOLUTION) if theirs else (Metric.RESOLUTION,)
    ticket = TicketClocks(
        id=fact.subject,
        opened_at=fact.occurred_at,
        starts_at=created_at if theirs else None,
        priority=terms.priority,
        policy=terms.policy,
        version=rules.version,
        timeline=timeline,
        running=state.running,
        clocks=tuple([started(one, created_at, terms.target(one), timeline, rules) for one in metrics]),
        done=state.done,
        first_message=None if theirs else said.get("message_id"),
    )
    return _done_at_once(ticket, said, rules)


def _done_at_once(ticket: TicketClocks, said: Mapping[str, Any], rules: Rules) -> TicketClocks:
    """Opened as resolved, or by an agent on the phone where calls count as answers (behaviour L-5)."""
    at = ticket.timeline[0].at
    if ticket.done:
        ticket = _ended(ticket, Metric.RESOLUTION, at, "resolved", rules)
    if said.get("created_by") is not None and said["channel"] in rules.promises.calls_are_answered:
        ticket = _ended(ticket, Metric.FIRST_RESPONSE, at, "answered", rules)
    return ticket


def changed(ticket: TicketClocks, fact: Fact[TicketChanged], state: State, rules: Rules) -> TicketClocks:
    """The status pauses and resumes, resolving stops, reopening resumes, priority and policy re-target (L-3 to L-9)."""
    if ticket.out:
        return ticket
    at = ticket.moment(fact.occurred_at)
    return timed(with_state(settled_before(ticket, at), state, at, rules), ticket, at, rules)


def with_state(ticket: TicketClocks, state: State, at: datetime, rules: Rules) -> TicketClocks:
    """The ticket as its header says it is from `at` on."""
    terms, cause = rules.terms_for(state), f"status {state.status}"
    done, runs = state.done, state.running
    if done and not ticket.done:
        ticket, cause = _resolved(ticket, at, rules), "resolved"
    elif ticket.done and not done:
        ticket, cause = _reopened(ticket, at, terms, rules), "reopened"
    elif ticket.running == runs:
        cause = "schedule"
    if (done, runs) != (ticket.done, ticket.running):
        ticket = revised(ticket, done=done, running=runs)
    return _waiting(under(ticket, terms, at, cause, rules), terms)


def _resolved(ticket: TicketClocks, at: datetime, rules: Rules) -> TicketClocks:
    """Resolution stops (L-8); nobody waits for a next response any more (L-7)."""
    ticket = _ended(ticket, Metric.RESOLUTION, at, "resolved", rules)
    return revised(_ended(ticket, Metric.NEXT_RESPONSE, at, "resolved", rules), waiting_since=None)


def _reopened(ticket: TicketClocks, at: datetime, terms: Terms, rules: Rules) -> TicketClocks:
    """A clock that was met has a successor, any other goes on; the time spent resolved does not count (L-8)."""
    clock = ticket.last(Metric.RESOLUTION)
    assert clock is not None
    assert clock.ended_at is not None
    if clock.verdict is None or clock.verdict.outcome is not Outcome.MET:
        return ticket.with_clock(revised(clock, ended_at=None))
    carried = clock.carried + elapsed(ticket.timeline, clock.metric, clock.started_at, clock.ended_at, rules)
    following = Clock(Metric.RESOLUTION, clock.instance + 1, at, carried=carried)
    return ticket.with_clock(revised(following, target=target_of(following, terms, rules)))


def message_added(ticket: TicketClocks, fact: Fact[TicketMessageAdded], state: State, rules: Rules) -> TicketClocks:
    """A person's public message: an agent's answers, a customer's waits for an answer (L-5, L-7), unless it only thanks
    (K-4); no machine's.
    """
    data = fact.data
    if ticket.out or not data.human or data.thanks or data.message_id == ticket.first_message:
        return ticket
    at = ticket.moment(fact.occurred_at)
    after = settled_before(ticket, at)
    terms = rules.terms_for(state)
    if data.is_human_answer:
        after = _answered(after, Answer(data.message_id, at), rules)
    elif data.kind is MessageKind.CUSTOMER:
        after = _asked(after, at, terms)
    return timed(_waiting(under(after, terms, at, "policy", rules), terms), ticket, at, rules)


def _answered(ticket: TicketClocks, answer: Answer, rules: Rules) -> TicketClocks:
    if len(ticket.answers) < ANSWERS_KEPT:
        ticket = revised(ticket, answers=(*ticket.answers, answer))
    for metric in (Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE):
        ticket = _ended(ticket, metric, answer.at, "answered", rules)
    return revised(ticket, waiting_since=None)


def _asked(ticket: TicketClocks, at: datetime, terms: Terms) -> TicketClocks:
    if ticket.starts_at is None:
        first = Clock(Metric.FIRST_RESPONSE, 1, at, terms.target(Metric.FIRST_RESPONSE))
        return revised(ticket, starts_at=at, clocks=(first, *ticket.clocks))
    return revised(ticket, waiting_since=ticket.waiting_since or at)


def _waiting(ticket: TicketClocks, terms: Terms) -> TicketClocks:
    """A next response is owed from the oldest unanswered message on, once the first was given (behaviour L-7)."""
    target, since = terms.target(Metric.NEXT_RESPONSE), ticket.waiting_since
    if target is None or since is None or ticket.done or ticket.out:
        return ticket
    first, last = ticket.last(Metric.FIRST_RESPONSE), ticket.last(Metric.NEXT_RESPONSE)
    if first is None or first.ended_at is None or (last is not None and last.ended_at is None):
        return ticket
    instance = 1 if last is None else last.instance + 1
    return ticket.with_clock(Clock(Metric.NEXT_RESPONSE, instance, since, target))


def delivery_failed(ticket: TicketClocks, fact: Fact[TicketDeliveryFailed], state: State, rules: Rules) -> TicketClocks:
    """An answer that bounced was none: the first response is owed again, unless another answer arrived (L-5)."""
    rest = tuple(answer for answer in ticket.answers if answer.message_id != fact.data.message_id)
    if not fact.data.permanent or rest == ticket.answers:
        return ticket
    at = ticket.moment(fact.occurred_at)
    after = settled_before(revised(ticket, answers=rest), at)
    clock = after.last(Metric.FIRST_RESPONSE)
    if clock is None or clock.ended_at is None or ticket.answers[0].message_id != fact.data.message_id:
        return after
    if rest:
        return after.with_clock(_answered_later(clock, after, rest[0].at, rules))
    after = after.with_clock(_owed_again(clock))
    return timed(under(after, rules.terms_for(state), at, "bounced", rules), None, at, rules)


def _owed_again(clock: Clock) -> Clock:
    """Open as if nobody had answered; a breach stays a breach."""
    met = clock.verdict is not None and clock.verdict.outcome is Outcome.MET
    return revised(clock, ended_at=None, verdict=None if met else clock.verdict, deadline=None, warn_at=None)


def _answered_later(clock: Clock, ticket: TicketClocks, at: datetime, rules: Rules) -> Clock:
    """The clock judged by an answer that came after the one that bounced."""
    clock = _owed_again(clock)
    if clock.is_ticking:
        assert clock.target is not None
        deadline = reached(ticket.timeline, clock.metric, clock.started_at, clock.target, rules)
        clock = revised(clock, deadline=deadline)
        if deadline is not None and deadline < at:
            clock = breached(clock, ticket)
    return fulfilled(clock, ticket, at, "answered", rules)


def _ended(ticket: TicketClocks, metric: Metric, at: datetime, cause: str, rules: Rules) -> TicketClocks:
    clock = ticket.last(metric)
    if clock is None or clock.ended_at is not None:
        return ticket
    return ticket.with_clock(fulfilled(clock, ticket, at, cause, rules))


def recomputed(ticket: TicketClocks, state: State, now: datetime, rules: Rules) -> TicketClocks:
    """An open ticket under a changed configuration, from `now` on (behaviour L-15); judged clocks stay as they are."""
    at = ticket.moment(now)
    after = under(settled_before(ticket, at), rules.terms_for(state), at, "configuration", rules)
    return timed(after, None, at, rules)
