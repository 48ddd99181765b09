"""Schedules that must not be loaded, and what is said about them: B-1, B-4, B-7."""

from datetime import date, timedelta
from importlib import metadata
from typing import Any

import pytest

from libs.worktime import TZDATA_VERSION, ScheduleError, parse
from libs.worktime.schedule import refuse_stalled
from tests.domain.worktime.calendars import EVERY_DAY, WORKDAYS, at, written

NINE_TO_FIVE = ("09:00", "17:00")
EVERY_DATE_OF_A_YEAR = [(date(2000, 1, 1) + timedelta(days=offset)).strftime("%m-%d") for offset in range(366)]


def office(**more: Any) -> dict[str, Any]:
    return written("Europe/Berlin", WORKDAYS, NINE_TO_FIVE) | more


REFUSED = [
    ("B-4 no hours", office(hours={}), "hours: no running time: open at least one day of the week"),
    ("B-4 only empty days", office(hours={"mon": [], "tue": []}), "hours: no running time"),
    ("B-4 every day a holiday", office(holidays=EVERY_DATE_OF_A_YEAR), "holidays: no running time: they close every"),
    (
        "B-4 every hour cut out",
        office(holidays=[{"day": day, "closed": [["08:00", "18:00"]]} for day in EVERY_DATE_OF_A_YEAR]),
        "holidays: no running time",
    ),
    ("no time zone", {"hours": "always"}, "timezone: Field required"),
    ("unknown time zone", office(timezone="Europe/Berlim"), "timezone: unknown time zone 'Europe/Berlim'"),
    ("a path for a time zone", office(timezone="../Europe/Berlin"), "timezone: unknown time zone"),
    ("a folder for a time zone", office(timezone="Europe"), "timezone: unknown time zone"),
    ("a file that is no time zone", office(timezone="leapseconds"), "timezone: unknown time zone"),
    ("unknown key", office(holidys=[]), "holidys: Extra inputs are not permitted"),
    ("unknown day", office(hours={"monday": []}), "hours.monday: Input should be 'mon'"),
    ("a time that is none", office(hours={"mon": [["9", "17:00"]]}), "hours.mon.0.0: '9' is not a time from"),
    ("a time past 48:00", office(hours={"mon": [["09:00", "48:01"]]}), "hours.mon.0.1: '48:01' is not a time"),
    ("a time that YAML made a number", office(hours={"mon": [["09:00", 1020]]}), "hours.mon.0.1: a time is text"),
    ("an end before its start", office(hours={"mon": [["22:00", "06:00"]]}), "hours.mon.0: ends at 06:00, not after"),
    ("an empty interval", office(hours={"mon": [["09:00", "09:00"]]}), "hours.mon.0: ends at 09:00, not after"),
    ("a start on the next day", office(hours={"mon": [["24:00", "30:00"]]}), "hours.mon.0: starts at 24:00"),
    ("half an interval", office(hours={"mon": [["09:00"]]}), "hours.mon.0.1: Field required"),
    ("a date that does not exist", office(holidays=["2026-02-30"]), "holidays.0.day: '2026-02-30' is not a date"),
    ("a day of no year", office(holidays=["02-30"]), "holidays.0.day: '02-30' is not a day of the year"),
    ("a date of another age", office(holidays=["0226-02-03"]), "holidays.0.day: 0226-02-03 is outside the years"),
    (
        "a holiday that runs backwards",
        office(holidays=[{"day": "2026-07-31", "until": "2026-07-01"}]),
        "holidays.0.until",
    ),
    (
        "a range of every year",
        office(holidays=[{"day": "07-01", "until": "2026-07-31"}]),
        "holidays.0.until: a holiday",
    ),
    ("a partial holiday of no hours", office(holidays=[{"day": "07-01", "closed": []}]), "holidays.0.closed: no hours"),
    ("an override of no date", office(date_overrides={"12-24": []}), "date_overrides.12-24: '12-24' is not a date"),
    ("no schedule at all", ["mon"], "schedule: Input should be"),
]


@pytest.mark.parametrize(("raw", "said"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_B1_a_bad_schedule_is_refused_by_field_and_reason(raw: object, said: str) -> None:
    with pytest.raises(ScheduleError) as refusal:
        parse(raw)
    assert str(refusal.value).startswith(said)
    assert "\n" not in str(refusal.value)


def test_B4_a_schedule_closed_for_the_400_days_to_come_is_refused_today_and_accepted_later() -> None:
    holidays = [{"day": "2026-01-01", "until": "2027-12-31", "name": "Renovation"}]
    schedule = parse(written("UTC", EVERY_DAY, NINE_TO_FIVE, holidays=holidays))
    with pytest.raises(ScheduleError, match="holidays: no running time in the 400 days from 2026-01-01"):
        schedule.running(at("2026-01-01T00:00Z"))
    assert schedule.running(at("2027-06-01T00:00Z")).is_open(at("2028-01-01T12:00Z"))


def test_B4_the_400th_day_still_counts() -> None:
    closed = [{"day": "2025-12-01", "until": "2027-02-03"}]
    worktime = parse(written("UTC", EVERY_DAY, ("00:00", "24:00"), holidays=closed)).compile()
    opening = worktime.next_open(at("2026-01-01T00:00Z"))
    assert opening == at("2027-02-04T00:00Z")
    assert worktime.is_stalled(opening - timedelta(days=400))
    assert refuse_stalled(worktime, opening - timedelta(days=400) + timedelta(seconds=1)) is worktime


def test_B4_a_closure_of_years_is_arithmetic_and_not_a_walk() -> None:
    closed = [{"day": "2026-01-01", "until": "2029-12-31"}]
    worktime = parse(written("UTC", EVERY_DAY, NINE_TO_FIVE, holidays=closed)).compile()
    assert worktime.add(at("2025-12-31T16:59:00Z"), 120) == at("2030-01-01T09:01:00Z")


def test_B7_the_time_zone_rules_in_use_are_those_of_the_pinned_package() -> None:
    assert metadata.version("tzdata") == TZDATA_VERSION
