"""The hours of the queues at one instant."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo

from libs.worktime import Worktime
from services.router.assignment.floor import Queue


class Hours:
    """Answers for one instant; a queue without a schedule, or with one that does not exist, is always open."""

    def __init__(self, schedules: Mapping[str, Worktime], zones: Mapping[str, tzinfo], now: datetime) -> None:
        self.now = now
        self._schedules, self._zones = schedules, zones
        self._open: dict[str | None, bool] = {}

    def is_open(self, queue: Queue) -> bool:
        """Is this queue open? [opening, closing) of its own schedule (behaviour T-1)."""
        key = queue.schedule
        if key not in self._open:
            schedule = self._of(queue)
            self._open[key] = schedule is None or schedule.is_open(self.now)
        return self._open[key]

    def opens(self, queue: Queue) -> datetime:
        """The next instant at which it is open; now if it is."""
        schedule = self._of(queue)
        return self.now if schedule is None else schedule.next_open(self.now)

    def waited(self, queue: Queue, since: datetime) -> timedelta:
        """How long it was open since then."""
        schedule = self._of(queue)
        passed = (self.now - since).total_seconds() if schedule is None else schedule.between(since, self.now)
        return timedelta(seconds=passed)

    def after(self, queue: Queue, since: datetime, wait: timedelta) -> datetime:
        """When it will have been open for so long since then."""
        schedule = self._of(queue)
        return since + wait if schedule is None else schedule.add(since, wait.total_seconds())

    def zone(self, queue: Queue | None) -> tzinfo:
        """Where its clock on the wall hangs."""
        return UTC if queue is None or queue.schedule is None else self._zones.get(queue.schedule, UTC)

    def _of(self, queue: Queue) -> Worktime | None:
        return None if queue.schedule is None else self._schedules.get(queue.schedule)
