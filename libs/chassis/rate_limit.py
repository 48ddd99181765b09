"""A token bucket for each caller, in the memory of this process."""

from collections import OrderedDict
from dataclasses import dataclass

from libs.chassis.errors import TooMany

CALLERS_KEPT = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class RateLimit:
    """At most `burst` requests at once and `per_second` in the long run, for each key.

    Each process counts for itself. The buckets of the last 10,000 keys are kept.
    """

    def __init__(self, per_second: float = 1000, burst: float = 2000) -> None:
        self.per_second, self.burst = per_second, burst
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key: str, now: float) -> None:
        """Count one request at `now` (seconds, any epoch). TooMany says when there is room again."""
        bucket = self._bucket(key, now)
        elapsed = max(0.0, now - bucket.filled_at)
        bucket.tokens = min(self.burst, bucket.tokens + elapsed * self.per_second)
        bucket.filled_at = now
        if bucket.tokens < 1:
            raise TooMany(retry_after=(1 - bucket.tokens) / self.per_second)
        bucket.tokens -= 1

    def _bucket(self, key: str, now: float) -> _Bucket:
        bucket = self._buckets.setdefault(key, _Bucket(self.burst, now))
        self._buckets.move_to_end(key)
        if len(self._buckets) > CALLERS_KEPT:
            self._buckets.popitem(last=False)
        return bucket
