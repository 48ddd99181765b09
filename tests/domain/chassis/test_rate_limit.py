"""A caller may be quick for a moment, and only so quick in the long run."""

import pytest

from libs.chassis.errors import TooMany
from libs.chassis.rate_limit import CALLERS_KEPT, RateLimit


def test_a_burst_passes_and_the_next_is_told_when_to_come_back() -> None:
    limit = RateLimit(per_second=0.5, burst=3)
    for _ in range(3):
        limit.take("mia", 100)

    with pytest.raises(TooMany) as refused:
        limit.take("mia", 100)

    assert refused.value.headers == {"Retry-After": "2"}
    limit.take("mia", 102)


def test_callers_do_not_share_a_bucket() -> None:
    limit = RateLimit(per_second=1, burst=1)
    limit.take("mia", 0)

    limit.take("tom", 0)


def test_in_the_long_run_the_rate_holds() -> None:
    limit = RateLimit(per_second=10, burst=5)
    passed = 0
    for tick in range(10_000):
        try:
            limit.take("mia", tick / 100)
            passed += 1
        except TooMany:
            pass

    assert passed == pytest.approx(5 + 10 * 100, abs=2)


def test_a_clock_that_jumps_back_gives_nothing_away() -> None:
    limit = RateLimit(per_second=1, burst=1)
    limit.take("mia", 1000)

    with pytest.raises(TooMany):
        limit.take("mia", 0)


def test_memory_is_bounded() -> None:
    limit = RateLimit()
    for caller in range(CALLERS_KEPT + 50):
        limit.take(str(caller), 0)

    assert len(limit._buckets) == CALLERS_KEPT
