"""A stretch of history with its open time summed up, so that a question is a bisection and not a walk."""

from bisect import bisect_left, bisect_right
from datetime import timedelta
from itertools import accumulate
from typing import Final

from libs.worktime.days import Days
from libs.worktime.instants import DAY, to_instant
from libs.worktime.spans import Span, clipped

PERIOD: Final = 364 * DAY
"""Every period is 52 weeks long; period k begins k * PERIOD microseconds after 1970."""

# hours of a day may run two days on, and no place on Earth is more than a day away from UTC
_BEFORE: Final = timedelta(days=3)
_AFTER: Final = timedelta(days=1)


class Period:
    """The open spans of one period in microseconds, and how much was open up to the end of each."""

    __slots__ = ("_ends", "_starts", "_sums", "total")

    def __init__(self, spans: list[Span]) -> None:
        self._starts = [start for start, _ in spans]
        self._ends = [end for _, end in spans]
        self._sums = list(accumulate(end - start for start, end in spans))
        self.total = self._sums[-1] if spans else 0

    def open_before(self, micros: int) -> int:
        """Open microseconds of this period before the instant."""
        index = bisect_right(self._starts, micros) - 1
        if index < 0:
            return 0
        return self._sums[index] - max(0, self._ends[index] - micros)

    def reached(self, amount: int) -> int:
        """The first instant by which `amount` (1 to total) open microseconds of this period have passed."""
        index = bisect_left(self._sums, amount)
        return self._ends[index] - (self._sums[index] - amount)

    def open_from(self, micros: int) -> int | None:
        """The first open instant at or after the given one, None when the period has no more."""
        index = bisect_right(self._ends, micros)
        return max(micros, self._starts[index]) if index < len(self._starts) else None

    def spans(self, start: int, end: int) -> list[Span]:
        """The open spans inside [start, end)."""
        low, high = bisect_right(self._ends, start), bisect_left(self._starts, end)
        return clipped(zip(self._starts[low:high], self._ends[low:high], strict=True), start, end)


def period(days: Days, number: int) -> Period:
    """Period `number` of a schedule."""
    start, end = number * PERIOD, (number + 1) * PERIOD
    first, last = to_instant(start).date() - _BEFORE, to_instant(end).date() + _AFTER
    return Period(clipped(days.open_spans(first, last), start, end))
