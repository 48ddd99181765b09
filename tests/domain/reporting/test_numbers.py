"""The arithmetic of reports: buckets, shares, spreads, periods."""

from collections import Counter
from datetime import date, timedelta
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.buckets import bucket_of, quantile, stand_in
from services.reporting.domain.period import Grain, Period
from services.reporting.domain.shares import greatest_to_median, jain, wilson

DURATIONS = st.floats(0.001, 1e9)


@given(DURATIONS)
def test_a_bucket_stands_for_its_durations_within_one_percent(seconds: float) -> None:
    assert stand_in(bucket_of(seconds)) == pytest.approx(seconds, rel=0.0100001)


@given(st.lists(DURATIONS, min_size=1, max_size=200), st.floats(0.01, 1))
def test_a_quantile_is_within_one_percent_of_the_exact_one(durations: list[float], share: float) -> None:
    exact = sorted(durations)[max(1, ceil(share * len(durations))) - 1]
    assert quantile(Counter(map(bucket_of, durations)), share) == pytest.approx(exact, rel=0.0100001)


@given(st.lists(DURATIONS), st.lists(DURATIONS, min_size=1), st.floats(0.01, 1))
def test_histograms_add_and_subtract(kept: list[float], gone: list[float], share: float) -> None:
    histogram = Counter(map(bucket_of, kept + gone))
    histogram.subtract(map(bucket_of, gone))
    assert quantile(histogram, share) == quantile(Counter(map(bucket_of, kept)), share)


def test_nothing_has_no_quantile_and_no_interval() -> None:
    assert quantile({}, 0.5) is None
    assert wilson(0, 0) is None
    assert jain([]) is jain([0, 0]) is greatest_to_median([]) is greatest_to_median([0, 0, 7]) is None


def test_durations_of_nothing_count_as_a_millisecond() -> None:
    assert bucket_of(0) == bucket_of(-5) == bucket_of(0.001)


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (80, 100, 0.7112, 0.8666)],
)
def test_Q4_the_interval_is_wilsons(part: int, whole: int, low: float, high: float) -> None:
    assert wilson(part, whole) == pytest.approx((low, high), abs=1e-4)


def test_Q7_jain_forgives_one_agent_with_twice_the_load_and_the_ratio_does_not() -> None:
    loads = [40, 22, 21, 20, 19, 18]
    assert jain(loads) == pytest.approx(0.905, abs=5e-4)
    assert greatest_to_median(loads) == pytest.approx(1.95, abs=5e-3)


@given(st.integers(1, 60), st.integers(0, 30), st.integers(1, 1000))
def test_Q7_jain_is_one_for_equals_and_falls_with_idle_agents(busy: int, idle: int, load: int) -> None:
    assert jain([load] * busy + [0] * idle) == pytest.approx(busy / (busy + idle))


@pytest.mark.parametrize(
    ("grain", "name", "start", "end"),
    [
        (Grain.WEEK, "2026-W12", date(2026, 3, 16), date(2026, 3, 23)),
        (Grain.WEEK, "2026-W53", date(2026, 12, 28), date(2027, 1, 4)),
        (Grain.WEEK, "2025-W01", date(2024, 12, 30), date(2025, 1, 6)),
        (Grain.MONTH, "2026-02", date(2026, 2, 1), date(2026, 3, 1)),
        (Grain.MONTH, "2026-12", date(2026, 12, 1), date(2027, 1, 1)),
        (Grain.QUARTER, "2026-Q4", date(2026, 10, 1), date(2027, 1, 1)),
    ],
)
def test_periods_by_name(grain: Grain, name: str, start: date, end: date) -> None:
    period = Period.parse(grain, name)
    assert (period.start, period.end, period.name) == (start, end, name)


@given(st.sampled_from(Grain), st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_periods_lie_end_to_end(grain: Grain, day: date) -> None:
    period = Period.of(grain, day)
    assert period.start <= day < period.end == Period.of(grain, period.end).start
    assert period.before.end == period.start
    assert Period.parse(grain, period.name) == period
    assert Period.of(grain, period.end - timedelta(days=1)) == period


@pytest.mark.parametrize("text", ["2026-W54", "2025-W53", "2026-W00", "2026-12", "W12", "", "2026-W12 "])
def test_what_is_no_week_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a week: write it like 2026-W12"):
        Period.parse(Grain.WEEK, text)
