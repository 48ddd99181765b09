"""Ids of decisions."""

import os
from datetime import datetime
from functools import lru_cache


def uuid7(now: datetime) -> str:
    """A UUIDv7 (RFC 9562) of domain time: ids sort by the millisecond they were made in."""
    random = os.urandom(10).hex()
    return f"{_instant(now)}-7{random[:3]}-{_VARIANT[random[3]]}{random[4:7]}-{random[7:19]}"


_VARIANT = {digit: "89ab"[at % 4] for at, digit in enumerate("0123456789abcdef")}
"""Two random bits after the two that name the variant."""


@lru_cache(maxsize=16)
def _instant(now: datetime) -> str:
    text = f"{int(now.timestamp() * 1000):012x}"
    return f"{text[:8]}-{text[8:]}"
