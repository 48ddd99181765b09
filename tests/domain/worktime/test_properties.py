"""What holds for every calendar and every instant (B-3), held against a walker that shares no code."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, reject, settings
from hypothesis import strategies as st

from libs.worktime import Worktime, parse
from libs.worktime.instants import OutOfRange
from tests.domain.worktime.walker import NAMES, walked

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
)
Pause = tuple[datetime, datetime]
MICROSECOND = timedelta(microseconds=1)


def wall(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@st.composite
def shifts(draw: st.DrawFn) -> list[list[str]]:
    """Up to three shifts of a day that do not overlap on the wall; the last may run into the next day."""
    edges = draw(st.lists(st.integers(0, 1439), min_size=2, max_size=6, unique=True).map(sorted))
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    if draw(st.booleans()):
        pairs[-1] = (pairs[-1][0], draw(st.integers(pairs[-1][1], 2880)))
    return [[wall(start), wall(end)] for start, end in pairs]


dates = st.dates(date(2015, 1, 1), date(2027, 12, 31)).map(date.isoformat)
instants = st.datetimes(datetime(2015, 2, 1), datetime(2027, 11, 1), timezones=st.just(UTC))
amounts = st.integers(0, 40 * 86_400)

calendars = st.fixed_dictionaries(
    {
        "timezone": st.sampled_from(ZONES),
        "hours": st.dictionaries(st.sampled_from(NAMES), shifts(), min_size=1),
        "holidays": st.lists(dates, max_size=5),
        "date_overrides": st.dictionaries(dates, shifts(), max_size=5),
    }
)


def compiled(calendar: dict[str, Any]) -> Worktime:
    return parse(calendar).compile()


def added(worktime: Worktime, start: datetime, seconds: int, pauses: Sequence[Pause] = ()) -> datetime:
    """Where hours are so few that the answer lies beyond the year 2299, there is none to look at."""
    try:
        return worktime.add(start, seconds, pauses)
    except OutOfRange:
        reject()


def exact(seconds: float) -> int:
    """Microseconds, so that sums of answers compare without rounding."""
    return round(seconds * 1_000_000)


@settings(deadline=None)
@given(calendars, instants, st.timedeltas(timedelta(0), timedelta(days=120)))
def test_B3_between_agrees_with_the_walker(calendar: dict[str, Any], start: datetime, length: timedelta) -> None:
    counted = compiled(calendar).between(start, start + length)
    assert exact(counted) == walked(calendar, start, start + length) // MICROSECOND


@settings(deadline=None)
@given(calendars, instants, amounts)
def test_B3_what_was_added_lies_between_and_no_earlier_instant_has_it(
    calendar: dict[str, Any], start: datetime, seconds: int
) -> None:
    worktime = compiled(calendar)
    due = added(worktime, start, seconds)
    assert worktime.between(start, due) == seconds
    assert seconds == 0 or exact(worktime.between(start, due - MICROSECOND)) == exact(seconds) - 1


@settings(deadline=None)
@given(calendars, st.lists(instants, min_size=3, max_size=3).map(sorted))
def test_B3_between_is_additive(calendar: dict[str, Any], three: list[datetime]) -> None:
    worktime, (first, middle, last) = compiled(calendar), three
    parts = exact(worktime.between(first, middle)) + exact(worktime.between(middle, last))
    assert exact(worktime.between(first, last)) == parts


@settings(deadline=None)
@given(calendars, instants, st.timedeltas(timedelta(0), timedelta(days=30)), amounts, amounts)
def test_B3_add_is_monotone_in_start_and_in_seconds(
    calendar: dict[str, Any], start: datetime, later: timedelta, one: int, other: int
) -> None:
    worktime = compiled(calendar)
    assert added(worktime, start, one) <= added(worktime, start + later, one)
    assert added(worktime, start, min(one, other)) <= added(worktime, start, max(one, other))


@settings(deadline=None)
@given(calendars, instants, amounts, st.lists(st.tuples(instants, amounts), max_size=4), st.integers(-60, 60))
def test_L9_add_and_between_agree_under_pauses(
    calendar: dict[str, Any], start: datetime, seconds: int, drawn: list[tuple[datetime, int]], days: int
) -> None:
    worktime = compiled(calendar)
    near = start + timedelta(days=days)
    pauses = [(near + (at - at.replace(hour=0, minute=0)), near + timedelta(seconds=length)) for at, length in drawn]
    pauses = [(min(pause), max(pause)) for pause in pauses]
    due = added(worktime, start, seconds, pauses)
    assert worktime.between(start, due, pauses) == seconds
    assert seconds > 0 or (worktime.is_open(due) and not any(low <= due < high for low, high in pauses))


@settings(deadline=None)
@given(calendars, instants, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_the_openings_sum_up_and_agree_with_is_open(
    calendar: dict[str, Any], start: datetime, length: timedelta
) -> None:
    worktime = compiled(calendar)
    openings = worktime.openings(start, start + length)
    total = sum((end - begin for begin, end in openings), timedelta())
    assert total // MICROSECOND == exact(worktime.between(start, start + length))
    assert all(worktime.is_open(begin) and worktime.is_open(end - MICROSECOND) for begin, end in openings)
    closings = [end for _, end in openings if end < start + length]
    assert not any(worktime.is_open(end) for end in closings)


@settings(deadline=None)
@given(calendars, instants)
def test_B3_the_next_opening_is_open_and_nothing_ran_before_it(calendar: dict[str, Any], instant: datetime) -> None:
    worktime = compiled(calendar)
    opening = worktime.next_open(instant)
    assert worktime.is_open(opening)
    assert worktime.between(instant, opening) == 0
