"""Weeks, months and quarters, in UTC: the same wherever it is asked, so that a rebuild comes out the same."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Self


class Grain(StrEnum):
    """How long a period is."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


SIGNS = {
    Grain.WEEK: re.compile(r"(\d{4})-W(\d{2})"),
    Grain.MONTH: re.compile(r"(\d{4})-(\d{2})"),
    Grain.QUARTER: re.compile(r"(\d{4})-Q([1-4])"),
}
FORMS = {Grain.WEEK: "2026-W12", Grain.MONTH: "2026-03", Grain.QUARTER: "2026-Q1"}


@dataclass(frozen=True, slots=True)
class Period:
    """An ISO week, a month or a quarter, from its first day to before `end`."""

    grain: Grain
    start: date
    end: date

    @classmethod
    def of(cls, grain: Grain, day: date) -> Self:
        """The period that a day is in."""
        start = start_of(grain, day)
        return cls(grain, start, _following(grain, start))

    @classmethod
    def parse(cls, grain: Grain, text: str) -> Self:
        """From `2026-W12`, `2026-03` or `2026-Q1`. ValueError for anything else."""
        found = SIGNS[grain].fullmatch(text)
        try:
            if found is None:
                raise ValueError
            return cls.of(grain, _first_day(grain, int(found[1]), int(found[2])))
        except (ValueError, OverflowError):
            raise ValueError(f"{text!r} is not a {grain}: write it like {FORMS[grain]}") from None

    @property
    def name(self) -> str:
        """As `parse` reads it."""
        if self.grain is Grain.WEEK:
            year, week, _ = self.start.isocalendar()
            return f"{year}-W{week:02d}"
        if self.grain is Grain.MONTH:
            return f"{self.start:%Y-%m}"
        return f"{self.start.year:04d}-Q{(self.start.month + 2) // 3}"

    @property
    def before(self) -> Self:
        """The period that ends where this one starts."""
        return type(self).of(self.grain, self.start - timedelta(days=1))

    @property
    def ends_at(self) -> datetime:
        """The instant it is over, UTC."""
        return datetime.combine(self.end, time(), UTC)


def start_of(grain: Grain, day: date) -> date:
    """First day of the period that a day is in."""
    if grain is Grain.WEEK:
        return day - timedelta(days=day.weekday())
    month = day.month if grain is Grain.MONTH else day.month - (day.month - 1) % 3
    return date(day.year, month, 1)


def _first_day(grain: Grain, year: int, number: int) -> date:
    if grain is Grain.WEEK:
        return date.fromisocalendar(year, number, 1)
    return date(year, number if grain is Grain.MONTH else 3 * number - 2, 1)


def _following(grain: Grain, start: date) -> date:
    if grain is Grain.WEEK:
        return start + timedelta(days=7)
    return start_of(grain, start + timedelta(days=31 if grain is Grain.MONTH else 93))
