"""A ticket as the router knows it: what routing needs, no personal text."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.conditions.evaluate import rank
from libs.contracts.ticket_state import StatusCategory
from services.router.assignment.floor import Floor
from services.router.assignment.standing import State

OVER = frozenset({StatusCategory.RESOLVED, StatusCategory.CLOSED})


@dataclass(frozen=True, slots=True)
class Reservation:
    """A decision on its way to intake (decisions 8): load and turn are taken already, in this queue."""

    decision: str
    epoch: int
    agent: str
    queue: str


@dataclass(frozen=True, slots=True)
class Wish:
    """Skills that are wished for until the ticket has waited this long in its queue's hours (behaviour R-5)."""

    skills: tuple[str, ...]
    drop_after: timedelta


@dataclass(frozen=True, slots=True)
class Requirements:
    """What the rules ask of the agent. `strategy` None = the queue's."""

    required: tuple[str, ...] = ()
    wishes: tuple[Wish, ...] = ()
    pinned: str | None = None
    strategy: str | None = None


@dataclass(slots=True)
class Ticket:
    """The router's view of one ticket.

    epoch -1: nothing heard yet. active: worked on, so that it needs an owner. `waiting`: it wants an agent and has no
    reservation; `deferred`: not before its queue opens; `needs`: the skills that it cannot do without at the moment.
    """

    id: str
    epoch: int = -1
    assignee: str | None = None
    queue: str | None = None
    priority: int = -1
    active: bool = False
    counts: bool = False
    gone: bool = False
    started: bool = False
    deadline: datetime | None = None
    queued_at: datetime | None = None
    waiting: bool = False
    deferred: bool = False
    needs: frozenset[str] = frozenset()
    requirements: Requirements = Requirements()
    reservation: Reservation | None = None

    @property
    def holder(self) -> str | None:
        """Whose load it is part of."""
        return self.assignee if self.active and self.counts else None

    @property
    def order(self) -> tuple[int, float, float, str]:
        """Its place among those that wait: priority, deadline, age (behaviour R-4)."""
        deadline = self.deadline.timestamp() if self.deadline else float("inf")
        return -self.priority, deadline, self.queued_at.timestamp() if self.queued_at else 0.0, self.id

    def waits(self, now: datetime) -> None:
        """It wants an agent; what waited before keeps its age."""
        if not self.waiting:
            self.waiting = True
            self.queued_at = self.queued_at or now

    def rests(self) -> None:
        """It wants nobody any more."""
        self.waiting = self.deferred = False

    def take(self, state: State, floor: Floor) -> None:
        """Become what intake says it is; loads follow."""
        before = self.holder
        self.epoch, self.assignee, self.counts = state.epoch, state.assignee, state.counts
        self.queue = state.queue or self.queue
        self.priority = priority_rank(state.priority)
        self.started = self.started or state.human_replies > 0
        self.active = not self.gone and not state.spam and state.status_category not in OVER
        if before != self.holder:
            floor.load(before, -1)
            floor.load(self.holder, 1)


def priority_rank(priority: str | None) -> int:
    """Critical is 3, low is 0, unset -1."""
    found = rank(priority) if priority is not None else None
    return -1 if found is None else found
