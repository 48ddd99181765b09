"""Times as people write them in a condition: `now`, `-24h`, `+4h`, or an instant with its offset."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

ALLOWED = "now, a signed span such as -24h, +30m or -7d, or a timestamp with its offset such as 2026-03-01T09:00:00Z"
ALLOWED_WINDOW = "a signed span such as -24h (up to now) or +4h (from now on); at most 3660 days"

_SPAN = re.compile(r"([+-])(\d{1,9})([smhdw])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LONGEST = timedelta(days=3660)


@lru_cache(maxsize=1024)
def span(text: str) -> timedelta | None:
    """The signed span that `-24h` stands for, at most 3660 days either way; None if it is no span."""
    found = _SPAN.fullmatch(text)
    if not found:
        return None
    length = timedelta(seconds=int(found[2]) * _UNITS[found[3]])
    if length > _LONGEST:
        return None
    return -length if found[1] == "-" else length


def instant(value: object) -> datetime | None:
    """An aware instant in UTC, from a datetime or an ISO 8601 text; None if it is neither or has no offset."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime) or value.utcoffset() is None:
        return None
    return value.astimezone(UTC)


def is_point(value: object) -> bool:
    """Whether a literal names a point in time, fixed or relative to the evaluation's `now`."""
    return value == "now" or (isinstance(value, str) and span(value) is not None) or instant(value) is not None


def point(value: object, now: datetime) -> datetime:
    """The instant that a checked literal means when the evaluation's one clock read is `now` (behaviour V-2)."""
    shift = timedelta() if value == "now" else span(str(value))
    if shift is not None:
        return now + shift
    fixed = instant(value)
    assert fixed is not None
    return fixed
