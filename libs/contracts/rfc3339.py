"""Instants as text: RFC 3339, which is narrower than ISO 8601."""

import re
from datetime import UTC, datetime

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")


def parse_instant(text: str) -> datetime:
    """The instant in UTC, to the microsecond (further digits are cut). ValueError for anything but RFC 3339."""
    if not _INSTANT.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is not an RFC 3339 time such as 2026-02-28T09:15:00Z")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:60]!r} is not an instant of the calendar") from None


def format_instant(instant: datetime) -> str:
    """UTC with `Z`. ValueError for a time without an offset."""
    if instant.utcoffset() is None:
        raise ValueError("has no offset from UTC")
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
