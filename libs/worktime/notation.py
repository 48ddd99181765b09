"""How a schedule is written: times on the wall as "HH:MM", days as "2026-12-25" or, for every year, as "12-25"."""

import re
from datetime import date, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, PlainSerializer, PlainValidator, WithJsonSchema

from libs.worktime.days import Hours
from libs.worktime.instants import FIRST_YEAR, LAST_YEAR, to_micros
from libs.worktime.spans import Span, merged

MIDNIGHT: Final = 24 * 60

_WALL: Final = re.compile(r"([0-9]{1,2}):([0-5][0-9])")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEARLY: Final = re.compile(r"([0-9]{2})-([0-9]{2})")
_LEAP_YEAR: Final = 2000


def read_wall(value: object) -> int:
    """Minutes after midnight of "HH:MM", up to 48:00. ValueError otherwise."""
    if isinstance(value, int):
        # YAML 1.1 reads an unquoted 17:00 as 17 * 60 + 0, and nobody can tell that from a 1020 that was typed
        raise ValueError('a time is text: put quotes around it, as in "17:00"')
    match = _WALL.fullmatch(value) if isinstance(value, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match else -1
    if not 0 <= minutes <= 2 * MIDNIGHT:
        raise ValueError(f'{value!r} is not a time from "00:00" to "48:00"')
    return minutes


def write_wall(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def read_date(value: object) -> date:
    """A date in 1900 to 2299, or the text of one as in "2026-12-25". ValueError otherwise."""
    day = _date(value)
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"{day} is outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return day


def _date(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError(f'{value!r} is not a date as in "2026-12-25"')
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is not a date: {error}") from error


def read_day(value: object) -> date | tuple[int, int]:
    """A date, or (month, day) of "12-25" for every year. ValueError otherwise."""
    match = _YEARLY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return read_date(value)
    try:
        date(_LEAP_YEAR, int(match[1]), int(match[2]))
    except ValueError as error:
        raise ValueError(f"{value!r} is not a day of the year: {error}") from error
    return int(match[1]), int(match[2])


def write_day(day: date | tuple[int, int]) -> str:
    return day.isoformat() if isinstance(day, date) else f"{day[0]:02}-{day[1]:02}"


def _ordered(span: Span) -> Span:
    start, end = span
    if start >= MIDNIGHT:
        raise ValueError(f"starts at {write_wall(start)}: what starts after midnight belongs to the next day")
    if end <= start:
        raise ValueError(
            f"ends at {write_wall(end)}, not after its start {write_wall(start)}:"
            ' an end on the next day is written past 24:00, as in "30:00"'
        )
    return span


def _merged(hours: Hours) -> Hours:
    return tuple(merged(hours))


def _askable(instant: datetime) -> datetime:
    to_micros(instant)
    return instant


def _text(value: object) -> object:
    if not isinstance(value, str | datetime):
        raise ValueError("not an instant in ISO 8601 with an offset")
    return value


WallTime = Annotated[
    int,
    PlainValidator(read_wall),
    PlainSerializer(write_wall),
    WithJsonSchema({"type": "string", "pattern": f"^{_WALL.pattern}$"}),
]
"""Minutes after midnight, written "HH:MM"."""

Interval = Annotated[tuple[WallTime, WallTime], AfterValidator(_ordered)]

DayHours = Annotated[tuple[Interval, ...], AfterValidator(_merged)]
"""The hours that start on one day, written [["09:00", "12:30"], ["13:30", "17:30"]]; sorted and merged."""

Date = Annotated[date, BeforeValidator(read_date)]
"""A date in 1900 to 2299, written "2026-12-25"."""

HolidayDay = Annotated[
    date | tuple[int, int],
    PlainValidator(read_day),
    PlainSerializer(write_day),
    WithJsonSchema({"type": "string", "pattern": r"^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$"}),
]
"""A date, or (month, day) of every year, written "12-25"."""

Instant = Annotated[AwareDatetime, BeforeValidator(_text), AfterValidator(_askable)]
"""An instant in 1900 to 2299 with an offset, as text in ISO 8601; never a bare number."""
