"""A ticket's clocks as people see them: with the stretches of time that explain every figure (behaviour L-1)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from libs.contracts.sla import Metric, Outcome, TargetState
from services.sla.domain.clock import Clock, TicketClocks, Verdict, state_of
from services.sla.domain.timeline import Span, merged, ran, spans
from services.sla.domain.verdicts import breach_by_timer
from services.sla.rules import Rules


class SegmentView(BaseModel):
    """A stretch of one clock's life."""

    state: Literal["running", "paused"]
    since: datetime
    until: datetime | None = Field(description="null: it lasts")
    cause: str = Field(description="What began it: opened, status <key>, resolved, reopened, merged, ...")
    schedule: str = Field(description="Key of its schedule in worktime.yaml; calendar = time that never stops")
    ran_seconds: float = Field(description="Running time in it so far, 0 for a pause")
    calendar_seconds: float = Field(description="Time in it so far")


class VerdictView(BaseModel):
    """How a clock was judged."""

    outcome: Outcome
    at: datetime
    deadline: datetime
    cause: str
    breached_on_change: bool
    priority: str


class ClockView(BaseModel):
    """One clock. Deadlines are null while it is paused."""

    metric: Metric
    instance: int
    state: TargetState
    started_at: datetime
    ended_at: datetime | None = Field(description="Answered or resolved; also after a breach")
    target_seconds: int | None
    ran_seconds: float = Field(description="Running time so far: the sum of the running segments")
    remaining_seconds: float | None = Field(description="Running time left; below 0 when overdue")
    carried_seconds: float = Field(description="What earlier instances ran (behaviour L-8)")
    deadline: datetime | None
    warn_at: datetime | None
    warned_at: datetime | None = Field(description="The instant its warning was due, once it fired")
    verdict: VerdictView | None
    configuration: int = Field(description="Version of the configuration the clock is computed by")
    segments: list[SegmentView]


class TicketClocksView(BaseModel):
    """All clocks of a ticket, as of `now`."""

    ticket: str
    now: datetime
    policy: str | None
    schedule: str
    priority: str
    configuration: int = Field(description="Version of the configuration: of policies and schedules")
    final: bool = Field(description="Whether the targets were said")
    cancelled: str | None = Field(description="merged, spam, deleted: why it is out of work")
    clocks: list[ClockView]


def view(ticket: TicketClocks, now: datetime, rules: Mapping[int, Rules]) -> TicketClocksView:
    """`rules`: by version; the newest stands in for a version that is not there."""
    return TicketClocksView(
        ticket=ticket.id,
        now=now,
        policy=ticket.policy,
        schedule=ticket.now_runs.schedule,
        priority=ticket.priority,
        configuration=ticket.version,
        final=ticket.final,
        cancelled=ticket.out,
        clocks=[_clock(clock, ticket, now, rules) for clock in ticket.clocks],
    )


def _clock(clock: Clock, ticket: TicketClocks, now: datetime, rules: Mapping[int, Rules]) -> ClockView:
    version = clock.verdict.version if clock.verdict else ticket.version
    hours = rules.get(version) or rules[max(rules)]
    end = max(clock.ended_at or now, clock.started_at)
    found = merged(list(spans(ticket.timeline, clock.metric, clock.started_at, end)))
    segments = [_segment(span, end, clock.ended_at is not None, hours) for span in found]
    elapsed = round(sum(segment.ran_seconds for segment in segments), 6)
    return ClockView(
        metric=clock.metric,
        instance=clock.instance,
        state=state_of(clock, ticket),
        started_at=clock.started_at,
        ended_at=clock.ended_at,
        target_seconds=clock.target,
        ran_seconds=elapsed,
        remaining_seconds=None if clock.target is None else round(clock.target - elapsed, 6),
        carried_seconds=clock.carried,
        deadline=clock.verdict.deadline if clock.verdict else clock.deadline,
        warn_at=clock.warn_at,
        warned_at=clock.warned,
        verdict=_verdict(clock.verdict or breach_by_timer(clock, ticket)),
        configuration=version,
        segments=segments,
    )


def _segment(span: Span, end: datetime, ended: bool, hours: Rules) -> SegmentView:
    until = span.until or end
    lasts = not ended and until >= end
    return SegmentView(
        state="running" if span.runs else "paused",
        since=span.since,
        until=None if lasts else until,
        cause=span.cause,
        schedule="calendar" if span.calendar else span.schedule,
        ran_seconds=ran(span, until, hours),
        calendar_seconds=(until - span.since).total_seconds(),
    )


def _verdict(verdict: Verdict | None) -> VerdictView | None:
    if verdict is None:
        return None
    return VerdictView(
        outcome=verdict.outcome,
        at=verdict.at,
        deadline=verdict.deadline,
        cause=verdict.cause,
        breached_on_change=verdict.on_change,
        priority=verdict.priority,
    )
