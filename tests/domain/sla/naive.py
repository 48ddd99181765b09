"""A second opinion on clocks: it walks the open intervals of a calendar and knows nothing of the code under test."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.domain.worktime.walker import open_intervals

OFFICE: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "hours": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "holidays": [],
    "date_overrides": {},
}
HORIZON_DAYS = 60


@dataclass(frozen=True)
class Happened:
    """What happened to the clock at an instant: paused, resumed, ended, or a new target in seconds."""

    at: datetime
    what: str
    target: int = 0


@dataclass
class Opinion:
    """What the walk found: the deadline while it runs, how it was judged and when, seconds that ran."""

    deadline: datetime | None = None
    outcome: str | None = None
    judged_at: datetime | None = None
    ran: timedelta = timedelta()


def judge(start: datetime, target: int, history: Sequence[Happened], now: datetime) -> Opinion:
    """Walk from event to event: count what is open, stop where the target is used up."""
    opinion, allowed, running, reached = Opinion(), timedelta(seconds=target), True, start
    for event in history:
        _walk(opinion, reached, event.at, allowed, running)
        reached = event.at
        if opinion.outcome is not None:
            return opinion
        if event.what == "ended":
            opinion.outcome, opinion.judged_at, opinion.deadline = "met", event.at, None
            return opinion
        if _is_used_up(opinion, reached, allowed, running):
            opinion.outcome, opinion.judged_at = "breached", event.at
            return opinion
        if event.what == "target":
            allowed = timedelta(seconds=event.target)
            if opinion.ran >= allowed:
                opinion.outcome, opinion.judged_at = "breached", event.at
                return opinion
        else:
            running = event.what == "resumed"
    _walk(opinion, reached, now, allowed, running)
    if opinion.outcome is None and _is_used_up(opinion, now, allowed, running):
        opinion.outcome, opinion.judged_at = "breached", now
    opinion.deadline = _deadline(opinion, now, allowed) if running and opinion.outcome is None else None
    return opinion


def _is_used_up(opinion: Opinion, at: datetime, allowed: timedelta, running: bool) -> bool:
    return running and opinion.ran == allowed


def _walk(opinion: Opinion, since: datetime, until: datetime, allowed: timedelta, running: bool) -> None:
    if not running:
        return
    for low, high in open_intervals(OFFICE, since, (until - since).days + 5):
        low, high = max(low, since), min(high, until)
        if low >= high:
            continue
        left = allowed - opinion.ran
        if low + left < high or (low + left == high and high < until):
            opinion.ran, opinion.outcome, opinion.judged_at = allowed, "breached", low + left
            return
        opinion.ran += high - low


def _deadline(opinion: Opinion, now: datetime, allowed: timedelta) -> datetime:
    left = allowed - opinion.ran
    for low, high in open_intervals(OFFICE, now, HORIZON_DAYS):
        low = max(low, now)
        if low < high and low + left <= high:
            return low + left
        left -= max(high - low, timedelta())
    raise AssertionError("no deadline within the horizon")
