"""The promised time (behaviour T-2) and the text it stands in (T-1, T-3)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.sla import TargetState
from services.notifier.domain.promise import promised, rounded, written
from tests.domain.notifier.desk import CONFIG, MONDAY, acknowledged, desk, ticket

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(["Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York", "UTC"])
INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))


@given(now=INSTANTS, ahead=st.timedeltas(timedelta(seconds=1), timedelta(days=9)), zone=ZONES)
def test_T2_never_earlier_than_the_deadline_and_at_most_an_hour_later(
    now: datetime, ahead: timedelta, zone: str
) -> None:
    promise = rounded(now + ahead, now, ZoneInfo(zone))
    assert timedelta(0) <= promise.astimezone(UTC) - (now + ahead) < timedelta(hours=1)
    assert promise.second == promise.microsecond == 0


@pytest.mark.parametrize(
    ("ahead", "wall"),
    [
        (timedelta(minutes=17), "10:20"),
        (timedelta(hours=1), "11:00"),
        (timedelta(hours=2, minutes=1), "12:15"),
        (timedelta(hours=7, minutes=1), "17:30"),
        (timedelta(hours=25, minutes=1), "12:00"),
    ],
)
def test_T2_people_name_rounder_times_the_further_they_are(ahead: timedelta, wall: str) -> None:
    assert f"{rounded(MONDAY + ahead, MONDAY, BERLIN):%H:%M}" == wall


def test_T2_without_a_policy_the_allowance_runs_in_the_hours_of_the_queue() -> None:
    office = CONFIG.schedules["office"].worktime
    friday_evening = datetime(2026, 6, 12, 18, 0, tzinfo=UTC)
    assert promised(TargetState.NONE, None, friday_evening, office, timedelta(hours=8)) == datetime(
        2026, 6, 15, 15, 0, tzinfo=UTC
    )
    assert promised(TargetState.NONE, None, MONDAY, None, timedelta(hours=8)) == MONDAY + timedelta(hours=8)


@pytest.mark.parametrize("state", [TargetState.MET, TargetState.BREACHED, TargetState.PAUSED, TargetState.CANCELLED])
def test_T2_what_is_over_is_not_promised(state: TargetState) -> None:
    assert promised(state, MONDAY + timedelta(hours=1), MONDAY, None, timedelta(hours=8)) is None
    assert promised(TargetState.RUNNING, MONDAY, MONDAY, None, timedelta(hours=8)) is None


def test_T2_a_time_is_written_in_the_language_with_its_zone() -> None:
    moment = datetime(2026, 6, 15, 17, 0, tzinfo=UTC).astimezone(BERLIN)
    assert written(moment, CONFIG.mail.languages["en"]) == "Monday, 15 June, 19:00 (CEST)"
    assert written(moment, CONFIG.mail.languages["de"]) == "Montag, 15. Juni, 19:00 Uhr (CEST)"


@pytest.mark.parametrize(
    ("opened", "language", "words"),
    [
        (MONDAY, "en", "We will answer by Monday, 15 June, 12:00 (CEST) at the latest."),
        (MONDAY, "de-AT", "Sie bekommen unsere Antwort spätestens bis Montag, 15. Juni, 12:00 Uhr (CEST)."),
        (MONDAY, "fr", "We will answer by"),
        (MONDAY.replace(hour=15), "en", "Our office is closed at the moment."),
        (MONDAY.replace(hour=7), "en", "We will answer by"),
        (datetime(2026, 4, 3, 10, 0, tzinfo=UTC), "en", "Our office is closed today (Good Friday)."),
        (datetime(2026, 4, 3, 10, 0, tzinfo=UTC), "de", "Unser Büro ist heute geschlossen (Good Friday)."),
    ],
)
def test_T1_T3_the_text_depends_on_the_hours_of_the_queue(opened: datetime, language: str, words: str) -> None:
    (notice,) = acknowledged(desk(opened), ticket(now=opened, language=language))
    assert words in notice.text


def test_T2_the_promised_time_is_left_out_when_there_is_none() -> None:
    (notice,) = acknowledged(desk(), ticket(promised=TargetState.MET))
    assert "as soon as we can" in notice.text
