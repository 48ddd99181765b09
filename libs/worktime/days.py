"""What the local days of a schedule hold: the hours that start on them and the closures that fall on them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from libs.worktime.spans import Span, merged, without
from libs.worktime.zones import wall_micros

Hours = tuple[Span, ...]
"""Minutes after local midnight, merged; an end may reach 48:00 (behaviour B-1)."""


@dataclass(frozen=True, slots=True)
class Closure:
    """A holiday on one day. Without `hours` nothing that starts on the day is worked; with them, only they are cut."""

    name: str
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Days:
    """A schedule, ready to be asked about any local day. `weekly` begins on Monday; `yearly` is keyed (month, day)."""

    zone: tzinfo
    weekly: tuple[Hours, ...]
    overrides: Mapping[date, Hours]
    dated: Mapping[date, tuple[Closure, ...]]
    yearly: Mapping[tuple[int, int], tuple[Closure, ...]]

    def closures(self, day: date) -> tuple[Closure, ...]:
        return self.dated.get(day, ()) + self.yearly.get((day.month, day.day), ())

    def hours(self, day: date) -> Hours:
        """Hours that start on the day, before partial closures; a whole-day closure beats an override (B-2)."""
        if any(closure.hours is None for closure in self.closures(day)):
            return ()
        return self.overrides.get(day, self.weekly[day.weekday()])

    def is_working_day(self, day: date) -> bool:
        return bool(without(self.hours(day), self._closed_hours(day)))

    def open_spans(self, first: date, last: date) -> list[Span]:
        """Open microseconds of all hours that start on `first` to `last`, both included.

        Overlaps are resolved after the conversion to instants: only there do a night shift and the morning after it,
        or two wall times around a change of the clocks, show that they are the same time.
        """
        opened: list[Span] = []
        closed: list[Span] = []
        for day in _days(first, last):
            opened += self._instants(day, self.hours(day))
            closed += self._instants(day, self._closed_hours(day))
        return without(merged(opened), closed)

    def _closed_hours(self, day: date) -> Hours:
        return tuple(span for closure in self.closures(day) for span in closure.hours or ())

    def _instants(self, day: date, hours: Hours) -> list[Span]:
        return [(wall_micros(self.zone, day, start), wall_micros(self.zone, day, end)) for start, end in hours]


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)
