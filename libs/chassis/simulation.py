"""Simulated time: one driver moves it, every process answers how far it is (decisions 14)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

SUBJECT = "sim.tick"


class Tick(BaseModel):
    """The driver's word: it is `t` now. k: number of the tick, rising."""

    model_config = ConfigDict(frozen=True)

    k: int
    t: datetime


class Answer(BaseModel):
    """A process' answer to a tick: what it still has to do, and when it wants to be woken."""

    model_config = ConfigDict(frozen=True)

    service: str
    unpublished: int
    held: int
    busy: bool
    next_due: datetime | None

    @property
    def idle(self) -> bool:
        """Nothing is left to do at this instant."""
        return not (self.busy or self.unpublished or self.held)


@dataclass(frozen=True, slots=True)
class Work:
    """What a service still has to do at this instant, beyond timers and facts: mails to parse, notices to send.

    busy: something is due now. next_due: the next instant something will be, None for never.
    """

    busy: bool = False
    next_due: datetime | None = None

    def __or__(self, other: "Work") -> Self:
        dues = [due for due in (self.next_due, other.next_due) if due is not None]
        return type(self)(self.busy or other.busy, min(dues, default=None))


LeftToDo = Callable[[datetime], Awaitable[Work]]
