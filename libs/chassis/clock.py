"""The only place that reads the wall clock.

Domain time may be simulated; leases, acks, retries and tokens always run on real time (decisions 14).
"""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Gives domain time, UTC."""

    def now(self) -> datetime: ...


class WallClock:
    """Domain time is real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SimulatedClock:
    """Domain time stands still until the driver moves it; it never runs backwards. Before the first tick it is 1970."""

    def __init__(self) -> None:
        self._now = datetime.fromtimestamp(0, UTC)

    def now(self) -> datetime:
        return self._now

    def advance_to(self, moment: datetime) -> None:
        """Set the time. A moment in the past is ignored: ticks may be repeated."""
        self._now = max(self._now, moment)


def real_now() -> datetime:
    """Real time, UTC, for what must not be simulated."""
    return datetime.now(UTC)
