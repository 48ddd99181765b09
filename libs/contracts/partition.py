"""The partition token of a NATS subject."""

from functools import lru_cache

PARTITIONS = 16


@lru_cache(maxsize=65_536)
def partition(subject: str) -> int:
    """FNV-1a (32 bit) of the subject modulo 16: the same number as NATS' own `{{partition(16,1)}}` mapping."""
    value = 2166136261
    for byte in subject.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value % PARTITIONS


def shard(subject: str, shards: int) -> int:
    """Which of `shards` (a divisor of 16) consumes the facts about this subject."""
    return partition(subject) % shards
