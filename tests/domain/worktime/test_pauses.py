"""Pauses take out the running time they cover, once (L-9)."""

from datetime import datetime, timedelta

import pytest

from tests.domain.worktime.calendars import BERLIN, at

HOUR = 3600
START = at("2026-06-11T10:00+02:00")


def hours(first: float, last: float) -> tuple[datetime, datetime]:
    """A pause from `first` to `last` hours after the start."""
    return START + timedelta(hours=first), START + timedelta(hours=last)


@pytest.mark.parametrize(
    ("pauses", "excluded"),
    [
        ([], 0),
        ([hours(1, 1)], 0),
        ([hours(-20, -18)], 0),
        ([hours(-2, 1)], 1),
        ([hours(1, 3), hours(1.5, 2)], 2),
        ([hours(1, 2), hours(1, 2)], 1),
        ([hours(2, 3), hours(1, 2)], 2),
        ([hours(1, 2.5), hours(2, 3)], 2),
        ([hours(8, 21)], 0),
        ([hours(6.5, 23.5)], 1),
    ],
    ids=[
        "none",
        "empty",
        "before",
        "across the start",
        "nested",
        "twice",
        "unordered",
        "overlapping",
        "night",
        "night+",
    ],
)
def test_L9_only_running_time_under_a_pause_is_excluded(
    pauses: list[tuple[datetime, datetime]], excluded: float
) -> None:
    end = at("2026-06-12T17:00+02:00")
    assert BERLIN.between(START, end, pauses) == (15 - excluded) * HOUR
    assert BERLIN.add(START, (15 - excluded) * HOUR, pauses) == end


def test_L9_two_pauses_of_the_same_minute_both_count() -> None:
    pauses = [
        (START + timedelta(seconds=5), START + timedelta(seconds=15)),
        (START + timedelta(seconds=30), START + timedelta(seconds=50)),
    ]
    assert BERLIN.add(START, 60, pauses) == START + timedelta(seconds=90)


def test_L9_time_used_up_as_the_pause_begins_is_due_there() -> None:
    assert BERLIN.add(START, HOUR, [hours(1, 3)]) == START + timedelta(hours=1)


def test_L9_zero_seconds_inside_a_pause_are_due_when_it_ends() -> None:
    assert BERLIN.add(START, 0, [hours(0, 2)]) == START + timedelta(hours=2)


def test_L9_zero_seconds_are_due_at_the_opening_before_the_pause() -> None:
    assert BERLIN.add(START - timedelta(hours=5), 0, [hours(0, 2)]) == at("2026-06-11T09:00+02:00")


def test_L9_a_pause_that_runs_backwards_is_refused() -> None:
    with pytest.raises(ValueError, match="a pause ends before it starts"):
        BERLIN.between(START, START, [hours(2, 1)])
