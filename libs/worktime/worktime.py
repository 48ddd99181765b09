"""Questions about working time: when is it used up, how much was there, is it open, when does it open."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Final

from libs.worktime.days import Days
from libs.worktime.instants import (
    DAY,
    in_range,
    micros_to_seconds,
    seconds_to_micros,
    to_instant,
    to_micros,
)
from libs.worktime.period import PERIOD, Period, period
from libs.worktime.spans import Span, clipped, merged
from libs.worktime.zones import wall_micros

Pause = tuple[datetime, datetime]
"""[start, end) during which a clock stood still, whatever the schedule says."""

STALLED_AFTER_DAYS: Final = 400
PERIODS_KEPT: Final = 64


class Worktime:
    """The running time of one schedule. Immutable; answers are exact to the microsecond and always in UTC.

    Time is the time that really passes inside the open hours, so the day on which the clocks change may have 23 or 25
    hours (behaviour B-2). Instants must carry an offset (else ValueError) and lie in 1900 to 2299 (else OutOfRange).
    Pauses may overlap, touch, be empty or lie outside the hours: only the running time they cover is excluded, once
    (behaviour L-9). A pause that ends before it starts is a ValueError.

    The sums of a period are computed when the first question touches it and the last 64 periods are kept, so that a
    question costs the same for 15 minutes as for 90 days.
    """

    __slots__ = ("_days", "_period")

    def __init__(self, days: Days) -> None:
        self._days = days
        self._period: Callable[[int], Period] = lru_cache(maxsize=PERIODS_KEPT)(partial(period, days))

    def add(self, start: datetime, seconds: float, pauses: Sequence[Pause] = ()) -> datetime:
        """The instant at which `seconds` (at least 0) of running time have passed since `start` (behaviour B-3).

        Time used up exactly at a closing is due at that closing; from a closing, or with 0 seconds outside the hours,
        it is the next opening. OutOfRange when that never happens before the year 2300.
        """
        at, left = to_micros(start), seconds_to_micros(seconds)
        for pause_start, pause_end in _spans(pauses):
            if pause_end <= at:
                continue
            due = self._reach(at, left)
            if due < pause_start or (due == pause_start and left > 0):
                return to_instant(in_range(due))
            left -= self._ran(at, pause_start)
            at = pause_end
        return to_instant(in_range(self._reach(at, left)))

    def between(self, start: datetime, end: datetime, pauses: Sequence[Pause] = ()) -> float:
        """Seconds of running time in [start, end), an int when whole; 0 when `end` is not after `start`.

        Additive: between(a, c) = between(a, b) + between(b, c) for a <= b <= c (behaviour B-3).
        """
        low, high = to_micros(start), to_micros(end)
        paused = clipped(_spans(pauses), low, high)
        return micros_to_seconds(self._ran(low, high) - sum(self._ran(*span) for span in paused))

    def is_open(self, instant: datetime) -> bool:
        """Openings are [start, end): open at the opening, closed at the closing (behaviour T-1)."""
        at = to_micros(instant)
        return self._period(at // PERIOD).open_from(at) == at

    def next_open(self, instant: datetime) -> datetime:
        """The first open instant at or after this one, so an open instant itself. OutOfRange if none before 2300."""
        return to_instant(in_range(self._open_from(to_micros(instant))))

    def openings(self, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """The open spans inside [start, end), in order; they sum up to between(start, end)."""
        low, high = to_micros(start), to_micros(end)
        found = [self._period(number).spans(low, high) for number in range(low // PERIOD, high // PERIOD + 1)]
        spans = merged(span for part in found for span in part)
        return [(to_instant(opened), to_instant(closed)) for opened, closed in spans]

    def is_stalled(self, now: datetime) -> bool:
        """Whether there is no running time at all in the 400 days from `now` (behaviour B-4)."""
        low = to_micros(now)
        high = low + STALLED_AFTER_DAYS * DAY
        return not any(self._period(number).spans(low, high) for number in range(low // PERIOD, high // PERIOD + 1))

    def holiday(self, instant: datetime) -> str | None:
        """The name of the holiday that closes this instant ("" if it has none), None when no holiday does."""
        if self.is_open(instant):
            return None
        at, day = to_micros(instant), instant.astimezone(self._days.zone).date()
        for closure in self._days.closures(day):
            if closure.hours is None or any(
                wall_micros(self._days.zone, day, low) <= at < wall_micros(self._days.zone, day, high)
                for low, high in closure.hours
            ):
                return closure.name
        return None

    def add_business_days(self, start: datetime, count: int) -> datetime:
        """The same time on the wall, `count` (at least 1) working days later (behaviour B-5).

        A working day is a local date on which hours start; its hours do not move the time. A unit of its own: targets
        in seconds are never turned into days.
        """
        if count < 1:
            raise ValueError(f"business days must be at least 1, not {count}")
        due = to_micros(start)
        local = to_instant(due).astimezone(self._days.zone).replace(fold=0)
        for _ in range(count):
            local = self._next_working_day(local)
            due = to_micros(local)
        return to_instant(due)

    def _next_working_day(self, local: datetime) -> datetime:
        for _ in range(STALLED_AFTER_DAYS):
            local += timedelta(days=1)
            if self._days.is_working_day(local.date()):
                return local
        raise ValueError(f"no working day in the {STALLED_AFTER_DAYS} days before {local.date()}")

    def _reach(self, at: int, left: int) -> int:
        if left == 0:
            return self._open_from(at)
        number = at // PERIOD
        current = self._period(number)
        wanted = current.open_before(at) + left
        while wanted > current.total:
            wanted -= current.total
            number += 1
            current = self._period(in_range(number * PERIOD) // PERIOD)
        return current.reached(wanted)

    def _open_from(self, at: int) -> int:
        found = self._period(at // PERIOD).open_from(at)
        while found is None:
            at = in_range((at // PERIOD + 1) * PERIOD)
            found = self._period(at // PERIOD).open_from(at)
        return found

    def _ran(self, start: int, end: int) -> int:
        if end <= start:
            return 0
        first, last = start // PERIOD, end // PERIOD
        whole = sum(self._period(number).total for number in range(first, last))
        return whole + self._period(last).open_before(end) - self._period(first).open_before(start)


def _spans(pauses: Sequence[Pause]) -> list[Span]:
    if not pauses:
        return []
    spans = [(to_micros(start), to_micros(end)) for start, end in pauses]
    if any(end < start for start, end in spans):
        raise ValueError("a pause ends before it starts")
    return merged(spans)
