"""A second opinion: working time summed interval by interval; it shares only the zones with the code under test."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from libs.worktime import zone as zone_of

NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Intervals = list[tuple[datetime, datetime]]


def _wall(day: date, text: str, zone: tzinfo) -> datetime:
    hours, minutes = text.split(":")
    wall = datetime(day.year, day.month, day.day) + timedelta(hours=int(hours), minutes=int(minutes))
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _shifts(calendar: dict[str, Any], day: date) -> list[list[str]]:
    key = day.isoformat()
    if key in calendar["holidays"]:
        return []
    shifts: list[list[str]] = calendar["date_overrides"].get(key, calendar["hours"].get(NAMES[day.weekday()], []))
    return shifts


def open_intervals(calendar: dict[str, Any], start: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
    """Open intervals in order from two days before `start` on; overlaps are trimmed from the later one."""
    zone, reached = zone_of(calendar["timezone"]), datetime.min.replace(tzinfo=UTC)
    first = start.astimezone(zone).date() - timedelta(days=2)
    for day in (first + timedelta(days=offset) for offset in range(days)):
        for opening, closing in sorted(_shifts(calendar, day), key=lambda shift: _wall(day, shift[0], zone)):
            begin, end = max(_wall(day, opening, zone), reached), _wall(day, closing, zone)
            if begin < end:
                yield begin, end
                reached = end


def walked(calendar: dict[str, Any], start: datetime, end: datetime) -> timedelta:
    """Open time in [start, end)."""
    days = (end - start).days + 5
    spans = open_intervals(calendar, start, days)
    return sum((max(min(high, end) - max(low, start), timedelta()) for low, high in spans), timedelta())
