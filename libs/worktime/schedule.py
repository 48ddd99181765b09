"""The written form of a schedule, as it stands in YAML or JSON, and its compilation into running time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from libs.worktime.days import Closure, Days, Hours
from libs.worktime.notation import Date, DayHours, HolidayDay
from libs.worktime.problems import first_problem
from libs.worktime.worktime import STALLED_AFTER_DAYS, Worktime
from libs.worktime.zones import zone

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS: Final = "always"

_LONGEST_HOLIDAY: Final = timedelta(days=10 * 366)
_ANY_YEAR: Final = datetime(2001, 1, 1, tzinfo=UTC)


class ScheduleError(ValueError):
    """A schedule that cannot be used. The text is one line: the field, a colon, the reason."""


class Holiday(BaseModel):
    """Days that are not worked, written as a date or as {day, until, closed, name}.

    A whole holiday removes the hours that start on its day, an overnight shift included; with `closed` only these
    wall-clock hours are cut out of whatever is open then, a shift of the day before included (behaviour B-2).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    day: HolidayDay = Field(description='The first day: "2026-12-25", or "12-25" for every year.')
    until: Date | None = Field(default=None, description="The last day, included; only for a dated holiday.")
    closed: DayHours | None = Field(default=None, description="The hours cut out; the whole day when absent.")
    name: str = Field(default="", max_length=100, description="What a customer may be told, as in Christmas Eve.")

    @field_validator("until")
    @classmethod
    def _ends_after_it_begins(cls, until: date | None, info: ValidationInfo) -> date | None:
        first = info.data.get("day")
        if until is None or first is None:
            return until
        if not isinstance(first, date):
            raise ValueError("a holiday of every year is one day")
        if not timedelta(0) <= until - first <= _LONGEST_HOLIDAY:
            raise ValueError(f"{until} is before {first} or more than ten years after it")
        return until

    @field_validator("closed")
    @classmethod
    def _closes_something(cls, closed: Hours | None) -> Hours | None:
        if closed == ():
            raise ValueError("no hours given: leave it out to close the whole day")
        return closed

    def dates(self) -> Iterator[date]:
        """Every date of a dated holiday, none for one of every year."""
        if isinstance(self.day, date):
            for offset in range(((self.until or self.day) - self.day).days + 1):
                yield self.day + timedelta(days=offset)


def _known_zone(name: str) -> str:
    zone(name)
    return name


def _always_as_days(hours: object) -> object:
    return {day: [["00:00", "24:00"]] for day in WEEK} if hours == ALWAYS else hours


def _day_alone(value: object) -> object:
    return {"day": value} if isinstance(value, str | date) else value


class Schedule(BaseModel):
    """The hours in which time runs (behaviour B-1). Validated and frozen.

    `hours` maps mon to sun to the [start, end) that start on that local day; a missing day is closed; "always" means
    calendar time. `date_overrides` replace the hours of one date; a whole holiday on the same date beats them.
    A schedule that can never run again is refused; whether it runs in the days to come depends on the day it is asked:
    see `running` (behaviour B-4).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    timezone: Annotated[str, Field(strict=True), AfterValidator(_known_zone)]
    hours: Annotated[dict[Weekday, DayHours], BeforeValidator(_always_as_days)]
    holidays: tuple[Annotated[Holiday, BeforeValidator(_day_alone)], ...] = ()
    date_overrides: dict[Date, DayHours] = {}

    @classmethod
    def always(cls, timezone: str = "UTC") -> Self:
        """Calendar time: open without a break, changes of the clocks included."""
        return cls.model_validate({"timezone": timezone, "hours": ALWAYS})

    @field_validator("hours")
    @classmethod
    def _opens(cls, hours: dict[Weekday, Hours]) -> dict[Weekday, Hours]:
        if not any(hours.values()):
            raise ValueError("no running time: open at least one day of the week")
        return hours

    @field_validator("holidays")
    @classmethod
    def _leave_running_time(cls, holidays: tuple[Holiday, ...], info: ValidationInfo) -> tuple[Holiday, ...]:
        yearly = [holiday for holiday in holidays if not isinstance(holiday.day, date)]
        if yearly and "timezone" in info.data and "hours" in info.data:
            usual = _worktime(info.data["timezone"], info.data["hours"], yearly, {})
            if usual.is_stalled(_ANY_YEAR):
                raise ValueError("no running time: they close every open day of every year")
        return holidays

    def compile(self) -> Worktime:
        """The running time of this schedule. Keep it: it remembers the periods that were asked about."""
        return _worktime(self.timezone, self.hours, self.holidays, self.date_overrides)

    def running(self, now: datetime) -> Worktime:
        """Compiled, or ScheduleError when not a second runs in the 400 days from `now` (behaviour B-4)."""
        return refuse_stalled(self.compile(), now)


def parse(raw: object) -> Schedule:
    """The schedule of a parsed YAML or JSON document. ScheduleError names the first field that is wrong."""
    try:
        return Schedule.model_validate(raw)
    except ValidationError as error:
        raise ScheduleError(first_problem(error)) from error


def refuse_stalled(worktime: Worktime, now: datetime) -> Worktime:
    """The same, or ScheduleError when not a second of it runs in the 400 days from `now` (behaviour B-4)."""
    if worktime.is_stalled(now):
        raise ScheduleError(f"holidays: no running time in the {STALLED_AFTER_DAYS} days from {now.isoformat()}")
    return worktime


def _worktime(
    timezone: str, hours: dict[Weekday, Hours], holidays: Iterable[Holiday], overrides: dict[date, Hours]
) -> Worktime:
    dated = defaultdict[date, tuple[Closure, ...]](tuple)
    yearly = defaultdict[tuple[int, int], tuple[Closure, ...]](tuple)
    for holiday in holidays:
        closure = Closure(holiday.name, holiday.closed)
        if not isinstance(holiday.day, date):
            yearly[holiday.day] += (closure,)
        for day in holiday.dates():
            dated[day] += (closure,)
    weekly = tuple(hours.get(day, ()) for day in WEEK)
    return Worktime(Days(zone(timezone), weekly, dict(overrides), dict(dated), dict(yearly)))
