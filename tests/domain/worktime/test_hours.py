"""Which time is open: B-1, B-2, B-3 and what is told about closed times."""

from datetime import date, timedelta

import pytest

from libs.worktime import OutOfRange, Schedule, parse
from tests.domain.worktime.calendars import (
    BERLIN,
    EVERY_DAY,
    LONDON_SPLIT,
    NEW_YORK_NIGHTS,
    WORKDAYS,
    at,
    worktime,
    written,
)

HOUR = 3600
SECOND = timedelta(seconds=1)


def test_B1_overlapping_and_touching_hours_are_merged() -> None:
    schedule = parse(written("UTC", ("mon",), ("12:00", "14:00"), ("09:00", "12:00"), ("13:00", "15:00")))
    assert schedule.model_dump(mode="json")["hours"] == {"mon": [["09:00", "15:00"]]}


def test_B1_a_schedule_survives_being_written_and_read() -> None:
    schedule = parse(
        written(
            "Europe/Berlin",
            WORKDAYS,
            ("09:00", "17:00"),
            holidays=[
                "2026-12-25",
                "01-01",
                {"day": "2026-07-01", "until": "2026-07-31", "name": "Summer"},
                {"day": "2026-12-24", "closed": [["12:00", "24:00"]]},
            ],
            date_overrides={"2026-12-19": [["10:00", "14:00"]]},
        )
    )
    assert Schedule.model_validate_json(schedule.model_dump_json()) == schedule
    assert Schedule.model_validate(schedule.model_dump()) == schedule


def test_B1_an_override_replaces_the_hours_of_its_date_only() -> None:
    calendar = worktime(
        "UTC", WORKDAYS, ("09:00", "17:00"), date_overrides={"2026-06-13": [["10:00", "12:00"]], "2026-06-15": []}
    )
    friday_evening = at("2026-06-12T17:00Z")
    assert calendar.next_open(friday_evening) == at("2026-06-13T10:00Z")
    assert calendar.add(friday_evening, 3 * HOUR) == at("2026-06-16T10:00Z")


def test_B1_a_date_as_yaml_reads_it_is_a_date() -> None:
    calendar = parse({"timezone": "UTC", "hours": "always", "holidays": [date(2026, 12, 25)]}).compile()
    assert not calendar.is_open(at("2026-12-25T12:00Z"))


def test_B1_a_holiday_of_every_year_comes_every_year() -> None:
    calendar = worktime("UTC", EVERY_DAY, ("09:00", "17:00"), holidays=[{"day": "12-25", "name": "Christmas"}])
    assert [calendar.is_open(at(f"{year}-12-25T12:00Z")) for year in (1999, 2026, 2199)] == [False] * 3
    assert calendar.is_open(at("2026-12-26T12:00Z"))


def test_B1_a_whole_month_is_one_holiday() -> None:
    calendar = worktime("UTC", EVERY_DAY, ("09:00", "17:00"), holidays=[{"day": "2026-07-01", "until": "2026-07-31"}])
    assert calendar.between(at("2026-06-30T16:00Z"), at("2026-08-01T10:00Z")) == 2 * HOUR


def test_B2_a_night_belongs_to_the_day_it_starts_on_and_a_holiday_there_removes_it_wholly() -> None:
    calendar = worktime("UTC", ("fri",), ("22:00", "30:00"), holidays=["2026-06-19"])
    assert calendar.openings(at("2026-06-12T00:00Z"), at("2026-06-27T00:00Z")) == [
        (at("2026-06-12T22:00Z"), at("2026-06-13T06:00Z")),
        (at("2026-06-26T22:00Z"), at("2026-06-27T00:00Z")),
    ]


def test_B2_a_holiday_after_the_night_leaves_the_night() -> None:
    calendar = worktime("UTC", EVERY_DAY, ("22:00", "30:00"), holidays=["2026-06-13"])
    assert calendar.is_open(at("2026-06-13T05:59Z"))
    assert calendar.next_open(at("2026-06-13T06:00Z")) == at("2026-06-14T22:00Z")


def test_B2_a_partial_holiday_subtracts_its_hours() -> None:
    calendar = worktime(
        "Europe/Berlin", WORKDAYS, ("09:00", "17:00"), holidays=[{"day": "2026-12-24", "closed": [["12:00", "24:00"]]}]
    )
    assert calendar.add(at("2026-12-24T11:00+01:00"), 2 * HOUR) == at("2026-12-25T10:00+01:00")


def test_B2_a_partial_holiday_cuts_the_shift_that_runs_into_it() -> None:
    calendar = worktime(
        "UTC", EVERY_DAY, ("22:00", "30:00"), holidays=[{"day": "2026-12-25", "closed": [["00:00", "04:00"]]}]
    )
    assert calendar.openings(at("2026-12-24T12:00Z"), at("2026-12-25T12:00Z")) == [
        (at("2026-12-24T22:00Z"), at("2026-12-25T00:00Z")),
        (at("2026-12-25T04:00Z"), at("2026-12-25T06:00Z")),
    ]


def test_B2_a_night_that_runs_into_the_next_morning_shift_counts_once() -> None:
    calendar = worktime("UTC", EVERY_DAY, ("06:00", "12:00"), ("22:00", "32:00"))
    assert calendar.between(at("2026-06-12T00:00Z"), at("2026-06-13T00:00Z")) == 14 * HOUR


@pytest.mark.parametrize(
    ("hours", "opened"),
    [
        (("02:00", "03:00"), 0),
        (("02:30", "03:00"), 0),
        (("02:00", "04:00"), HOUR),
        (("02:30", "03:30"), 0),
        (("01:30", "02:30"), HOUR),
    ],
)
def test_B2_hours_in_the_gap_are_read_with_the_offset_before_it(hours: tuple[str, str], opened: int) -> None:
    calendar = worktime("Europe/Berlin", ("sun",), hours)
    assert calendar.between(at("2026-03-29T00:00Z"), at("2026-03-30T00:00Z")) == opened


@pytest.mark.parametrize(
    ("hours", "opened"),
    [(("02:00", "03:00"), 2 * HOUR), (("02:30", "03:00"), 1.5 * HOUR), (("01:30", "02:30"), HOUR)],
)
def test_B2_hours_that_come_twice_are_read_as_their_first_occurrence(hours: tuple[str, str], opened: int) -> None:
    calendar = worktime("Europe/Berlin", ("sun",), hours)
    assert calendar.between(at("2026-10-24T22:00Z"), at("2026-10-25T22:00Z")) == opened


def test_T1_open_at_the_opening_closed_at_the_closing() -> None:
    opening, closing = at("2026-06-12T09:00+02:00"), at("2026-06-12T17:00+02:00")
    assert [BERLIN.is_open(instant) for instant in (opening - SECOND, opening, closing - SECOND, closing)] == [
        False,
        True,
        True,
        False,
    ]


def test_B3_zero_seconds_are_due_now_when_open_and_at_the_next_opening_otherwise() -> None:
    assert BERLIN.add(at("2026-06-12T10:00+02:00"), 0) == at("2026-06-12T08:00Z")
    assert BERLIN.add(at("2026-06-12T17:00+02:00"), 0) == BERLIN.next_open(at("2026-06-12T17:00+02:00"))
    assert BERLIN.next_open(at("2026-06-12T17:00+02:00")) == at("2026-06-15T07:00Z")


def test_B3_lunch_is_not_working_time() -> None:
    assert LONDON_SPLIT.add(at("2026-06-12T12:00+01:00"), HOUR) == at("2026-06-12T14:00+01:00")
    assert LONDON_SPLIT.between(at("2026-06-12T12:30+01:00"), at("2026-06-12T13:30+01:00")) == 0


def test_B3_nothing_lies_between_an_instant_and_an_earlier_one() -> None:
    assert BERLIN.between(at("2026-06-12T12:00Z"), at("2026-06-11T12:00Z")) == 0


def test_B3_answers_are_exact_to_the_microsecond_and_in_utc() -> None:
    due = BERLIN.add(at("2026-06-12T16:59:59.999999+02:00"), 1)
    assert (due.isoformat(), BERLIN.between(at("2026-06-12T16:59:59.999999+02:00"), due)) == (
        "2026-06-15T07:00:00.999999+00:00",
        1,
    )


def test_calendar_time_never_stops() -> None:
    calendar = Schedule.always("Europe/Berlin").compile()
    start = at("2026-03-28T12:00Z")
    assert calendar.add(start, 90 * 86_400) == start + timedelta(days=90)
    assert calendar.openings(start, start + timedelta(days=2000)) == [(start, start + timedelta(days=2000))]


def test_T3_a_closed_time_knows_its_holiday() -> None:
    calendar = worktime(
        "Europe/Berlin",
        WORKDAYS,
        ("09:00", "17:00"),
        holidays=[
            {"day": "2026-12-24", "closed": [["12:00", "24:00"]], "name": "Christmas Eve"},
            {"day": "2026-12-25", "name": "Christmas Day"},
            "2026-12-28",
        ],
    )
    told = {
        "2026-12-24T11:00+01:00": None,
        "2026-12-24T08:00+01:00": None,
        "2026-12-24T13:00+01:00": "Christmas Eve",
        "2026-12-24T23:30Z": "Christmas Day",
        "2026-12-27T12:00Z": None,
        "2026-12-28T12:00Z": "",
    }
    assert {instant: calendar.holiday(at(instant)) for instant in told} == told


@pytest.mark.parametrize(
    ("start", "count", "due"),
    [
        ("2026-06-12T16:00+02:00", 1, "2026-06-15T16:00+02:00"),
        ("2026-06-12T20:00+02:00", 1, "2026-06-15T20:00+02:00"),
        ("2026-06-13T10:00+02:00", 1, "2026-06-15T10:00+02:00"),
        ("2026-03-27T10:00+01:00", 1, "2026-03-30T10:00+02:00"),
        ("2026-06-12T16:00+02:00", 6, "2026-06-22T16:00+02:00"),
    ],
)
def test_B5_a_business_day_is_the_next_working_day_at_the_same_time_on_the_wall(
    start: str, count: int, due: str
) -> None:
    assert BERLIN.add_business_days(at(start), count) == at(due)


def test_B5_a_business_day_steps_over_holidays_and_over_days_cut_empty() -> None:
    calendar = worktime(
        "Europe/Berlin",
        WORKDAYS,
        ("09:00", "12:00"),
        holidays=["2026-06-15", {"day": "2026-06-16", "closed": [["08:00", "13:00"]]}],
    )
    assert calendar.add_business_days(at("2026-06-12T10:00+02:00"), 1) == at("2026-06-17T10:00+02:00")


def test_B5_business_days_are_at_least_one() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        BERLIN.add_business_days(at("2026-06-12T10:00Z"), 0)


def test_an_instant_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a UTC offset"):
        BERLIN.add(at("2026-06-12T10:00"), 60)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_seconds_that_are_no_amount_are_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds must be a number of at least 0"):
        BERLIN.add(at("2026-06-12T10:00Z"), seconds)


def test_a_target_that_is_never_used_up_ends_at_the_horizon_and_not_in_a_loop() -> None:
    with pytest.raises(OutOfRange):
        NEW_YORK_NIGHTS.add(at("2026-06-12T10:00Z"), 10**12)
    with pytest.raises(OutOfRange):
        NEW_YORK_NIGHTS.between(at("0002-01-01T00:00Z"), at("2026-06-12T10:00Z"))
