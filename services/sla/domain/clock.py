"""One clock, and the clocks of one ticket. All are read-only by convention: frozen ones take twice the time to make."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, TypeVar

from libs.contracts.sla import Metric, Outcome, TargetState
from services.sla.domain.timeline import Moment, Timeline

FINAL_AFTER = timedelta(seconds=60)
"""Targets are said this long after opening, routed or not (decisions 11)."""


T = TypeVar("T")

_READERS: dict[type[Any], Callable[[Any], tuple[Any, ...]]] = {}


def revised(record: T, **changes: Any) -> T:
    """A copy of a slotted dataclass with other values: `dataclasses.replace`, at a third of its cost."""
    copy = type(record)(*values(record))
    for name, value in changes.items():
        setattr(copy, name, value)
    return copy


def values(record: Any) -> tuple[Any, ...]:
    """All fields of a slotted dataclass, in the order in which they are given to make one."""
    kind = type(record)
    reader = _READERS.get(kind)
    if reader is None:
        reader = _READERS[kind] = attrgetter(*kind.__slots__)
    return reader(record)


@dataclass(slots=True)
class Verdict:
    """How a clock was judged, for good: instants in UTC, `ran` in seconds, the configuration it was judged by."""

    outcome: Outcome
    at: datetime
    deadline: datetime
    cause: str
    ran: float
    priority: str
    version: int
    on_change: bool = False


@dataclass(slots=True)
class Clock:
    """One clock of one ticket. What it ran is not stored: it is a sum over the ticket's timeline (behaviour L-1).

    target: seconds allowed, None when nothing is promised. ended_at: answered or resolved. carried: seconds that
    earlier instances ran. deadline, warn_at: computed from the timeline, None while it stands still. said: the
    outcome that was announced, a breach by the timer included; withdrawn: that had to be taken back.
    """

    metric: Metric
    instance: int
    started_at: datetime
    target: int | None = None
    deadline: datetime | None = None
    warn_at: datetime | None = None
    ended_at: datetime | None = None
    verdict: Verdict | None = None
    said: Outcome | None = None
    withdrawn: bool = False
    warned: datetime | None = None
    carried: float = 0
    dropped: bool = False

    @property
    def is_ticking(self) -> bool:
        """Whether time can still decide it."""
        return self.verdict is None and self.ended_at is None and self.target is not None

    @property
    def announced(self) -> Outcome | None:
        """The outcome that everybody was told and that was not taken back."""
        return None if self.withdrawn else self.said

    @property
    def outcome(self) -> Outcome | None:
        """The verdict as far as anybody knows: a timer's breach counts until a late fact takes it back."""
        return self.announced if self.verdict is None else self.verdict.outcome


@dataclass(slots=True)
class Answer:
    """A public message of a human agent."""

    message_id: str
    at: datetime


@dataclass(slots=True)
class Absorbed:
    """A ticket that was merged into this one."""

    id: str
    created_at: datetime


@dataclass(slots=True)
class TicketClocks:
    """Everything sla knows of one ticket: a function of the facts about it and of the rules in force at each.

    starts_at: when the first response begins to be owed, None before the customer has written (behaviour L-5).
    running: RUNS of the ticket's status. out: why the ticket is out of work: merged, spam, deleted. done: resolved or
    closed. answers: the first few, so that a bounce of one leaves the next. waiting_since: the oldest customer message
    that nobody has answered (behaviour L-7). final: its targets were said.
    """

    id: str
    opened_at: datetime
    starts_at: datetime | None
    priority: str
    policy: str | None
    version: int
    timeline: Timeline
    running: int
    clocks: tuple[Clock, ...] = ()
    done: bool = False
    final: bool = False
    out: str | None = None
    first_message: str | None = None
    answers: tuple[Answer, ...] = ()
    waiting_since: datetime | None = None
    absorbed: tuple[Absorbed, ...] = ()

    def last(self, metric: Metric) -> Clock | None:
        """The newest clock of a metric."""
        return next((clock for clock in reversed(self.clocks) if clock.metric is metric), None)

    def with_clock(self, clock: Clock) -> "TicketClocks":
        """The same with this clock in place of the one of its metric and instance, or added."""
        for place, one in enumerate(self.clocks):
            if one.metric is clock.metric and one.instance == clock.instance:
                return revised(self, clocks=(*self.clocks[:place], clock, *self.clocks[place + 1 :]))
        return revised(self, clocks=(*self.clocks, clock))

    def moment(self, at: datetime) -> datetime:
        """`at`, but never before what happened last: clocks of two machines may differ a little."""
        return max(at, self.timeline[-1].at)

    @property
    def now_runs(self) -> Moment:
        """What holds since the last moment."""
        return self.timeline[-1]

    @property
    def is_open(self) -> bool:
        """Whether anything can still happen without somebody reopening it."""
        return self.out is None and any(clock.ended_at is None for clock in self.clocks)


def state_of(clock: Clock, ticket: TicketClocks) -> TargetState:
    """The state that is said of a clock."""
    if clock.outcome is not None:
        return TargetState(clock.outcome)
    if ticket.out is not None:
        return TargetState.CANCELLED
    if clock.target is None:
        return TargetState.CANCELLED if clock.dropped else TargetState.NONE
    return TargetState.RUNNING if ticket.now_runs.runs(clock.metric) else TargetState.PAUSED
