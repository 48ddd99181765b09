"""Ids of tickets, messages and people: UUIDv7 (RFC 9562), so that ids made later sort later."""

from datetime import datetime

RANDOM_BITS = 62
COUNTER_BITS = 12


def uuid7(now: datetime, counter: int, randomness: int) -> str:
    """The id number `counter` (0, 1, ...) of those made at `now`, with 62 random bits.

    Ids of one instant sort by their counter; beyond 4095 it carries into the milliseconds.
    """
    milliseconds = int(now.timestamp() * 1000) + (counter >> COUNTER_BITS)
    high = milliseconds << 16 | 0x7000 | counter & 0xFFF
    text = f"{high << 64 | 0x8000000000000000 | randomness:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
