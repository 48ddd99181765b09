"""Instants as whole microseconds since 1970 in UTC, so that no sum ever rounds."""

from datetime import UTC, datetime, timedelta
from typing import Final

SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2299

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
_FLOOR: Final = (datetime(FIRST_YEAR, 1, 1, tzinfo=UTC) - EPOCH).days * DAY
_CEILING: Final = (datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC) - EPOCH).days * DAY


class OutOfRange(ValueError):
    """The instant lies outside the years 1900 to 2299, for which working time is answered."""

    def __init__(self) -> None:
        super().__init__(f"outside the years {FIRST_YEAR} to {LAST_YEAR}")


def in_range(micros: int) -> int:
    """The same instant, or OutOfRange."""
    if not _FLOOR <= micros < _CEILING:
        raise OutOfRange
    return micros


def to_micros(instant: datetime) -> int:
    """Microseconds since 1970 in UTC. ValueError for a naive datetime, OutOfRange outside 1900 to 2299."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a UTC offset")
    return in_range((instant - EPOCH) // MICROSECOND)


def to_instant(micros: int) -> datetime:
    return EPOCH + micros * MICROSECOND


def seconds_to_micros(seconds: float) -> int:
    """ValueError unless `seconds` is a finite number of at least zero."""
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"seconds must be a number of at least 0, not {seconds}")
    return round(seconds * SECOND)


def micros_to_seconds(micros: int) -> float:
    """Seconds, exact to the microsecond; a whole number of seconds comes back as an int."""
    whole, rest = divmod(micros, SECOND)
    return whole if rest == 0 else micros / SECOND
