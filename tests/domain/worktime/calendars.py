"""The calendars that the tests of working time share."""

from datetime import datetime
from typing import Any

from libs.worktime import Worktime, parse

WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
EVERY_DAY = (*WORKDAYS, "sat", "sun")


def written(timezone: str, days: tuple[str, ...], *hours: tuple[str, str], **more: Any) -> dict[str, Any]:
    """A schedule as it stands in a file."""
    return {"timezone": timezone, "hours": {day: [list(span) for span in hours] for day in days}, **more}


def worktime(timezone: str, days: tuple[str, ...], *hours: tuple[str, str], **more: Any) -> Worktime:
    return parse(written(timezone, days, *hours, **more)).compile()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


BERLIN = worktime("Europe/Berlin", WORKDAYS, ("09:00", "17:00"))
BERLIN_ALWAYS = worktime("Europe/Berlin", EVERY_DAY, ("00:00", "24:00"))
NEW_YORK_NIGHTS = worktime("America/New_York", EVERY_DAY, ("22:00", "30:00"))
LONDON_SPLIT = worktime(
    "Europe/London", WORKDAYS, ("09:00", "12:30"), ("13:30", "17:30"), holidays=["2026-12-25", "2026-12-28"]
)
