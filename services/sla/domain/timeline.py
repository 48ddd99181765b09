"""What happened to the clocks of a ticket, as a short list of moments; running time is a sum over it (L-1)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from libs.contracts.sla import Metric
from libs.worktime import OutOfRange, Worktime

MICROS = 1_000_000
RUNS = {Metric.FIRST_RESPONSE: 1, Metric.NEXT_RESPONSE: 2, Metric.RESOLUTION: 4}
CALENDAR = {Metric.FIRST_RESPONSE: 8, Metric.NEXT_RESPONSE: 16, Metric.RESOLUTION: 32}


@dataclass(slots=True)
class Moment:
    """From `at` on: which metrics run (RUNS), which of them in calendar time (CALENDAR), on which schedule, and why."""

    at: datetime
    cause: str
    bits: int
    schedule: str

    def runs(self, metric: Metric) -> bool:
        """Whether a clock of this metric runs from here on."""
        return bool(self.bits & RUNS[metric])

    def is_calendar(self, metric: Metric) -> bool:
        """Whether it counts time that never stops."""
        return bool(self.bits & CALENDAR[metric])


Timeline = tuple[Moment, ...]
"""At least one moment, in order of time. The first also holds for what was before it."""


class Span(NamedTuple):
    """A stretch of one clock's life, [since, until); `until` None for the one that lasts."""

    since: datetime
    until: datetime | None
    runs: bool
    calendar: bool
    schedule: str
    cause: str


class Hours(Protocol):
    """Knows the schedules."""

    def worktime(self, schedule: str, calendar: bool = False) -> Worktime:
        """The hours of a schedule, or time that never stops."""


def spans(timeline: Timeline, metric: Metric, since: datetime, until: datetime | None) -> Iterator[Span]:
    """How a clock of this metric ran and stood still from `since` to `until`; None = it still does."""
    last = len(timeline) - 1
    for place, moment in enumerate(timeline):
        start = since if place == 0 or moment.at < since else moment.at
        end = until if place == last else timeline[place + 1].at
        if until is not None and (end is None or end > until):
            end = until
        if end is None or start < end:
            yield Span(start, end, moment.runs(metric), moment.is_calendar(metric), moment.schedule, moment.cause)


def elapsed(timeline: Timeline, metric: Metric, since: datetime, until: datetime, hours: Hours) -> float:
    """Seconds of running time from `since` to `until`; what is paused does not count (behaviour L-9)."""
    total = sum(_ran(span, until, hours) for span in spans(timeline, metric, since, until))
    return _seconds(total)


def reached(timeline: Timeline, metric: Metric, since: datetime, seconds: float, hours: Hours) -> datetime | None:
    """The instant at which a clock that began at `since` has run for `seconds`; None while it stands still before that.

    None also for hours that never come again (behaviour B-4): the clock is stalled, which is no breach.
    """
    if len(timeline) == 1:
        return _added(timeline[0], metric, since, seconds, hours)
    left, last = round(seconds * MICROS), len(timeline) - 1
    for place, moment in enumerate(timeline):
        if not moment.runs(metric):
            continue
        start = since if place == 0 or moment.at < since else moment.at
        worktime = hours.worktime(moment.schedule, moment.is_calendar(metric))
        if place < last:
            ran = round(worktime.between(start, timeline[place + 1].at) * MICROS)
            if ran < left:
                left -= ran
                continue
        try:
            return worktime.add(start, _seconds(left))
        except OutOfRange:
            return None
    return None


def _added(moment: Moment, metric: Metric, since: datetime, seconds: float, hours: Hours) -> datetime | None:
    """The usual case: nothing about the ticket has changed yet."""
    if not moment.bits & RUNS[metric]:
        return None
    try:
        return hours.worktime(moment.schedule, moment.bits & CALENDAR[metric] != 0).add(since, seconds)
    except OutOfRange:
        return None


def extended(timeline: Timeline, moment: Moment) -> Timeline:
    """The timeline with another moment, or the same when nothing about running changes."""
    last = timeline[-1]
    if (last.bits, last.schedule) == (moment.bits, moment.schedule):
        return timeline
    return (*timeline, moment)


def merged(found: Sequence[Span]) -> list[Span]:
    """Neighbours that run alike on the same hours as one, under the cause of the first."""
    result: list[Span] = []
    for span in found:
        if result and result[-1][2:5] == span[2:5]:
            result[-1] = result[-1]._replace(until=span.until)
        else:
            result.append(span)
    return result


def ran(span: Span, until: datetime, hours: Hours) -> float:
    """Seconds that a span ran up to its end, or to `until` if that is earlier."""
    return _seconds(_ran(span, until, hours))


def _ran(span: Span, until: datetime, hours: Hours) -> int:
    if not span.runs:
        return 0
    end = until if span.until is None else min(span.until, until)
    return round(hours.worktime(span.schedule, span.calendar).between(span.since, end) * MICROS)


def _seconds(micros: int) -> float:
    whole, rest = divmod(micros, MICROS)
    return micros / MICROS if rest else whole
