"""The time that an acknowledgment promises (behaviour T-2): never earlier than the deadline of the ticket."""

from datetime import UTC, datetime, timedelta, tzinfo

from libs.contracts.sla import TargetState
from libs.worktime import OutOfRange, Worktime
from services.notifier.mail_file import LanguageRules

GRAINS = ((timedelta(hours=1), 5), (timedelta(hours=4), 15), (timedelta(days=1), 30))
COARSEST = 60
"""Minutes: what is far away is promised to the hour."""


def promised(
    state: TargetState, deadline: datetime | None, now: datetime, schedule: Worktime | None, allowance: timedelta
) -> datetime | None:
    """The instant to promise, not rounded; None where nothing can be promised: it is over, paused or answered.

    Without a policy: `allowance` of the schedule's hours, counted from now or the next opening.
    """
    if state is not TargetState.NONE:
        is_open = state is TargetState.RUNNING and deadline is not None and deadline > now
        return deadline if is_open else None
    if schedule is None:
        return now + allowance
    try:
        return schedule.add(now, allowance.total_seconds())
    except OutOfRange:
        return None


def rounded(deadline: datetime, now: datetime, zone: tzinfo) -> datetime:
    """The next time on the wall of `zone` that people would name: every 5, 15, 30 or 60 minutes, never earlier."""
    ahead = deadline - now
    grain = next((minutes for limit, minutes in GRAINS if ahead <= limit), COARSEST)
    local = deadline.astimezone(zone)
    past = timedelta(minutes=local.minute % grain, seconds=local.second, microseconds=local.microsecond)
    if not past:
        return local
    return (deadline.astimezone(UTC) + timedelta(minutes=grain) - past).astimezone(zone)


def written(moment: datetime, language: LanguageRules) -> str:
    """A local time in words, with its time zone."""
    return language.moment.format(
        weekday=language.weekdays[moment.weekday()],
        day=moment.day,
        month=language.months[moment.month - 1],
        year=moment.year,
        hour=f"{moment.hour:02d}",
        minute=f"{moment.minute:02d}",
        zone=moment.tzname() or "UTC",
    )
