"""Simulated time: from one instant at which something is due to the next, with a look around at each."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from libs.chassis.driver import Driver

Look = Callable[[], Awaitable[None]]


class Clockwork:
    """Moves the driver's time. look: called whenever the system has come to rest."""

    def __init__(self, driver: Driver, look: Look) -> None:
        self._driver, self._look = driver, look
        self._due: datetime | None = None

    @property
    def now(self) -> datetime:
        """Simulated time, UTC."""
        return self._driver.now

    @property
    def ticks(self) -> int:
        """How often time was told so far."""
        return self._driver.ticks

    async def settle(self) -> None:
        """Let everything due now happen, and look."""
        self._due = await self._driver.settle()
        await self._look()

    async def advance_to(self, moment: datetime) -> None:
        """Move to `moment` by way of every instant at which something is due."""
        while self._due is not None and self._due < moment:
            self._driver.now = max(self._due, self._driver.now)
            await self.settle()
        self._driver.now = max(moment, self._driver.now)
        await self.settle()
