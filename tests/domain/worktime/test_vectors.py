"""The worked vectors of the business-hours rules, by their ids, with literal answers."""

import pytest

from libs.worktime import Worktime
from tests.domain.worktime.calendars import (
    BERLIN,
    BERLIN_ALWAYS,
    EVERY_DAY,
    LONDON_SPLIT,
    NEW_YORK_NIGHTS,
    WORKDAYS,
    at,
    worktime,
)

HOUR = 3600
EASTER = worktime("Europe/Berlin", WORKDAYS, ("09:00", "17:00"), holidays=["2026-04-03", "2026-04-06"])
CLOSED_JULY = worktime(
    "Europe/Berlin", WORKDAYS, ("09:00", "17:00"), holidays=[f"2026-07-{day:02}" for day in range(1, 32)]
)
SAO_PAULO_ALWAYS = worktime("America/Sao_Paulo", EVERY_DAY, ("00:00", "24:00"))

ADDED = [
    ("V1 DST begins over the weekend", BERLIN, "2026-03-27T16:30+01:00", 2 * HOUR, "2026-03-30T08:30Z"),
    ("V2 round the clock over DST", BERLIN_ALWAYS, "2026-03-28T12:00+01:00", 24 * HOUR, "2026-03-29T11:00Z"),
    ("V4 the short night", NEW_YORK_NIGHTS, "2026-03-07T22:00-05:00", 7 * HOUR, "2026-03-08T10:00Z"),
    ("V4 beyond the short night", NEW_YORK_NIGHTS, "2026-03-07T22:00-05:00", 8 * HOUR, "2026-03-09T03:00Z"),
    ("V5 the long night", NEW_YORK_NIGHTS, "2026-10-31T22:00-04:00", 8 * HOUR, "2026-11-01T10:00Z"),
    ("V6 before Christmas", LONDON_SPLIT, "2026-12-24T12:00Z", 4 * HOUR, "2026-12-24T17:00Z"),
    ("V6 over Christmas", LONDON_SPLIT, "2026-12-24T12:00Z", 8 * HOUR, "2026-12-29T12:30Z"),
    ("V8 over Easter", EASTER, "2026-04-02T16:50+02:00", 15 * 60, "2026-04-07T07:05Z"),
    ("V9 used up at the closing", BERLIN, "2026-06-12T16:00+02:00", HOUR, "2026-06-12T15:00Z"),
    ("V9 from the closing", BERLIN, "2026-06-12T17:00+02:00", 60, "2026-06-15T07:01Z"),
    ("V12 the warning at 80 %", BERLIN, "2026-06-11T15:00+02:00", 0.8 * 4 * HOUR, "2026-06-12T08:12Z"),
    ("V12 the deadline", BERLIN, "2026-06-11T15:00+02:00", 4 * HOUR, "2026-06-12T09:00Z"),
    ("V13 the tightened target", BERLIN, "2026-06-11T09:00+02:00", HOUR, "2026-06-11T08:00Z"),
    ("V14 a whole closed July", CLOSED_JULY, "2026-06-30T16:50+02:00", 15 * 60, "2026-08-03T07:05Z"),
]


@pytest.mark.parametrize(
    ("calendar", "start", "seconds", "due"), [case[1:] for case in ADDED], ids=[case[0] for case in ADDED]
)
def test_added(calendar: Worktime, start: str, seconds: float, due: str) -> None:
    assert calendar.add(at(start), seconds) == at(due)


COUNTED = [
    ("V3 the day that begins DST", BERLIN_ALWAYS, "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", 23 * HOUR),
    ("V3 the day that ends DST", BERLIN_ALWAYS, "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 25 * HOUR),
    ("V7 a midnight that is missing", SAO_PAULO_ALWAYS, "2015-10-17T00:00-03:00", "2015-10-19T00:00-02:00", 47 * HOUR),
]


@pytest.mark.parametrize(
    ("calendar", "start", "end", "seconds"), [case[1:] for case in COUNTED], ids=[case[0] for case in COUNTED]
)
def test_counted(calendar: Worktime, start: str, end: str, seconds: int) -> None:
    assert calendar.between(at(start), at(end)) == seconds


def test_V10_a_pause_over_the_weekend_shifts_by_the_hours_it_covers() -> None:
    pause = (at("2026-06-11T14:00+02:00"), at("2026-06-15T11:00+02:00"))
    assert BERLIN.add(at("2026-06-11T10:00+02:00"), 8 * HOUR, [pause]) == at("2026-06-15T13:00Z")


def test_V11_L9_a_pause_out_of_hours_shifts_nothing() -> None:
    pause = (at("2026-06-11T18:00+02:00"), at("2026-06-12T07:00+02:00"))
    start = at("2026-06-11T10:00+02:00")
    assert BERLIN.add(start, 8 * HOUR, [pause]) == BERLIN.add(start, 8 * HOUR) == at("2026-06-12T08:00Z")
