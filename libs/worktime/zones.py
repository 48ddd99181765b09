"""Time zones by IANA name, always from the pinned tzdata package and never from the host's own files.

Two replicas on different base images therefore agree on every deadline, and `TZDATA_VERSION` is the truth about the
rules in use. It belongs in the audit of a deadline (behaviour B-7).
"""

import re
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from importlib import metadata, resources
from typing import Final
from zoneinfo import ZoneInfo

from libs.worktime.instants import EPOCH, MICROSECOND

TZDATA_VERSION: Final = metadata.version("tzdata")
"""The release of the rules as its package counts them: 2026.6 is IANA's 2026f."""

_NAME: Final = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")


class UnknownTimezone(ValueError):
    """The name is not an IANA time zone."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown time zone {name!r}: give an IANA name such as Europe/Berlin")


@lru_cache(maxsize=1024)
def zone(name: str) -> tzinfo:
    """The time zone of that IANA name. UnknownTimezone if there is none."""
    if not _NAME.fullmatch(name):
        raise UnknownTimezone(name)
    try:
        with resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    except (OSError, ValueError) as error:
        raise UnknownTimezone(name) from error


def wall_micros(where: tzinfo, day: date, minutes: int) -> int:
    """When the clock on the wall shows `minutes` after midnight of `day` (behaviour B-2).

    fold=0: a time in a gap is read with the offset before the change, a time that comes twice is its first occurrence.
    """
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return (wall.replace(tzinfo=where) - EPOCH) // MICROSECOND
