"""What is said of a ticket's clocks: the difference between what was said and what is so now."""

from dataclasses import dataclass
from datetime import datetime

from libs.contracts.event import Event
from libs.contracts.sla import SlaCorrected, SlaDecided, TargetsSet
from services.sla.domain.clock import Clock, TicketClocks, Verdict, revised, state_of
from services.sla.domain.timeline import elapsed
from services.sla.domain.verdicts import breach_by_timer
from services.sla.rules import Rules


@dataclass(slots=True)
class Spoken:
    """A ticket after something happened to it, and the facts to say, in order."""

    ticket: TicketClocks
    events: tuple[Event, ...] = ()


def after_fact(before: TicketClocks | None, after: TicketClocks, routed: bool, now: datetime, rules: Rules) -> Spoken:
    """Verdicts that are new or differ from what was said, then targets if they are final and changed."""
    events: list[Event] = []
    for clock in after.clocks:
        if clock.verdict is not None or clock.said is not None:
            after, said = _verdict(clock, _earlier(clock, before), after, now, rules)
            events += said
    return with_targets(before, after, events, final=routed)


def with_targets(before: TicketClocks | None, after: TicketClocks, events: list[Event], *, final: bool) -> Spoken:
    """Targets are said when final for the first time, and whenever one of them changed later (decisions 11)."""
    first = final and not after.final
    if first:
        after = revised(after, final=True)
    if first or (after.final and before is not None and _shown(before) != _shown(after)):
        events.append(targets(before, after, first))
    return Spoken(after, tuple(events))


def _earlier(clock: Clock, before: TicketClocks | None) -> Verdict | None:
    """The verdict on the same clock before."""
    known = before.clocks if before is not None else ()
    return next((c.verdict for c in known if c.metric is clock.metric and c.instance == clock.instance), None)


def _verdict(
    clock: Clock, earlier: Verdict | None, ticket: TicketClocks, now: datetime, rules: Rules
) -> tuple[TicketClocks, list[Event]]:
    verdict = clock.verdict or _by_timer(clock, ticket, now)
    outcome = verdict.outcome if verdict else None
    if outcome == clock.announced and (earlier is None or verdict is None or earlier.at == verdict.at):
        return ticket, []
    told = revised(clock, said=outcome or clock.said, withdrawn=outcome is None)
    ticket = ticket.with_clock(told)
    if verdict is None:
        return ticket, [_withdrawn(told, ticket, rules)]
    return ticket, [verdict_event(clock, verdict)]


def _by_timer(clock: Clock, ticket: TicketClocks, now: datetime) -> Verdict | None:
    """A breach counts as long as its deadline, which a late fact may have moved, has passed."""
    verdict = breach_by_timer(clock, ticket)
    return verdict if verdict is not None and verdict.at <= now else None


def verdict_event(clock: Clock, verdict: Verdict) -> SlaDecided | SlaCorrected:
    """The first verdict on a clock is `decided`, one that replaces what was said is `corrected`."""
    calendar_seconds = max((verdict.at - clock.started_at).total_seconds(), 0)
    if clock.said is None:
        return SlaDecided(
            metric=clock.metric,
            instance=clock.instance,
            outcome=verdict.outcome,
            at=verdict.at,
            deadline=verdict.deadline,
            cause=verdict.cause,
            breached_on_change=verdict.on_change,
            priority=verdict.priority,
            running_seconds=verdict.ran,
            calendar_seconds=calendar_seconds,
        )
    return SlaCorrected(
        metric=clock.metric,
        instance=clock.instance,
        old=clock.said,
        new=verdict.outcome,
        at=verdict.at,
        deadline=verdict.deadline,
        running_seconds=verdict.ran,
        calendar_seconds=calendar_seconds,
    )


def _withdrawn(clock: Clock, ticket: TicketClocks, rules: Rules) -> SlaCorrected:
    assert clock.said is not None
    at = ticket.timeline[-1].at
    return SlaCorrected(
        metric=clock.metric,
        instance=clock.instance,
        old=clock.said,
        new=clock.said,
        withdrawn=True,
        at=at,
        deadline=clock.deadline or at,
        running_seconds=elapsed(ticket.timeline, clock.metric, clock.started_at, at, rules),
        calendar_seconds=max((at - clock.started_at).total_seconds(), 0),
    )


def targets(before: TicketClocks | None, after: TicketClocks, final: bool) -> TargetsSet:
    """Every clock that is not over, or was not when targets were said last."""
    over = {(c.metric, c.instance) for c in before.clocks if _is_over(c)} if before and before.final else ()
    shown = [clock for clock in after.clocks if not _is_over(clock) or (clock.metric, clock.instance) not in over]
    said = {
        "targets": tuple([_target(clock, after) for clock in shown]),
        "policy": after.policy,
        "schedule": after.now_runs.schedule,
        "final": final,
    }
    return TargetsSet.model_validate(said)


def _is_over(clock: Clock) -> bool:
    return clock.outcome is not None or clock.ended_at is not None


def _target(clock: Clock, ticket: TicketClocks) -> dict[str, object]:
    """The fields of a Target; checking them all at once costs less than making each."""
    return {
        "metric": clock.metric,
        "instance": clock.instance,
        "state": state_of(clock, ticket),
        "deadline": clock.verdict.deadline if clock.verdict else clock.deadline,
        "warn_at": None if _is_over(clock) else clock.warn_at,
        "target_seconds": clock.target,
    }


def _shown(ticket: TicketClocks) -> tuple[object, ...]:
    return (
        ticket.policy,
        *(
            (clock.metric, clock.instance, state_of(clock, ticket), clock.deadline, clock.target)
            if _is_over(clock)
            else (clock.metric, clock.instance, state_of(clock, ticket), clock.deadline, clock.target, clock.warn_at)
            for clock in ticket.clocks
        ),
    )
