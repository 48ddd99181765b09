"""Planning: a ticket that wants an agent gets one, or waits where somebody watches (behaviour R-0 to R-5)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.router.assignment.candidates import Choice, Field, Rejected, choose, field_of
from services.router.assignment.floor import Floor, Queue
from services.router.assignment.hours import Hours
from services.router.assignment.reasons import Reason
from services.router.assignment.ticket import Requirements, Ticket, Wish


@dataclass(frozen=True, slots=True)
class Plan:
    """How planning ended. `again`: when time itself may change the answer: a wish ends, the wait limit is reached."""

    queue: str | None
    reason: Reason
    agent: str | None = None
    fallback: bool = False
    rejected: Rejected = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    strategy: str | None = None
    again: datetime | None = None


class Planner:
    """Plans tickets one after the other on one floor at one instant. It changes the floor and the tickets."""

    def __init__(self, floor: Floor, hours: Hours, fallback: str) -> None:
        self.floor, self.hours, self.fallback = floor, hours, fallback
        self._fields: dict[tuple[str, frozenset[str]], Field] = {}

    def plan(self, ticket: Ticket) -> Plan:
        """Reserve an agent's turn for a ticket that waits, or say why it goes on waiting.

        The caller makes the reservation out of the plan; load and turn are taken here.
        """
        if not ticket.active:
            return Plan(ticket.queue, Reason.NOT_WORKED_ON)
        queue, reason = self._standing(ticket)
        if queue is None:
            return Plan(None, reason)
        if self._keeps(ticket, queue):
            ticket.rests()
            return Plan(queue.key, Reason.KEPT)
        if ticket.deferred and not self.hours.is_open(queue):
            return Plan(queue.key, Reason.AFTER_HOURS)
        ticket.deferred = False
        if not self._holders(queue, frozenset(ticket.requirements.required)):
            reason = Reason.NO_HOLDER
            queue = self._move(ticket, self._fallback() or queue)
        return self._assign(ticket, queue, reason)

    def overflows(self, ticket: Ticket) -> bool:
        """Move a ticket that has waited for too long on to the overflow queue; False if it has to go on waiting."""
        queue = self.floor.queues.get(ticket.queue or "")
        target = self.floor.queues.get(queue.overflow) if queue is not None and queue.overflow else None
        if queue is None or target is None or not target.active or queue.wait_limit is None:
            return False
        if ticket.queued_at is None or self.hours.now < self._limit(queue, ticket.queued_at):
            return False
        self._move(ticket, target)
        return True

    def _assign(self, ticket: Ticket, queue: Queue, reason: Reason) -> Plan:
        wishes = self._wishes(ticket, queue)
        required = ticket.requirements.required
        needs = frozenset(required).union(*(wish.skills for wish in wishes))
        ticket.needs = needs
        choice = self._choose(ticket, queue, needs)
        fallback = reason is not Reason.ASSIGNED
        strategy = ticket.requirements.strategy or queue.strategy
        if choice.agent is None:
            why = reason if fallback else Reason.NO_AGENT_AVAILABLE
            again = self._again(ticket, queue, wishes)
            return Plan(queue.key, why, None, fallback, choice.rejected, tuple(sorted(needs)), strategy, again)
        ticket.rests()
        self.floor.take_turn(queue.key, choice.agent.key)
        return Plan(queue.key, reason, choice.agent.key, fallback, choice.rejected, tuple(sorted(needs)), strategy)

    def _choose(self, ticket: Ticket, queue: Queue, needs: frozenset[str]) -> Choice:
        wanted = ticket.requirements
        return choose(self.floor, queue, self._field(queue, needs), wanted.strategy, wanted.pinned)

    def _standing(self, ticket: Ticket) -> tuple[Queue | None, Reason]:
        """The ticket's queue if tickets may wait there, else the fallback (behaviour R-0)."""
        queue = self.floor.queues.get(ticket.queue or "")
        if queue is not None and queue.active:
            return queue, Reason.ASSIGNED
        found = self._fallback()
        if found is not None:
            self._move(ticket, found)
        return found, Reason.UNKNOWN_QUEUE

    def _fallback(self) -> Queue | None:
        """The configured fallback queue; should it be gone, the first that is there."""
        queues = self.floor.queues
        found = queues.get(self.fallback)
        if found is not None and found.active:
            return found
        return next((queues[key] for key in sorted(queues) if queues[key].active), None)

    def _move(self, ticket: Ticket, queue: Queue) -> Queue:
        """To another queue, without what only the first one's agents can do."""
        ticket.queue = queue.key
        ticket.requirements = Requirements(strategy=None)
        return queue

    def _keeps(self, ticket: Ticket, queue: Queue) -> bool:
        """Does its assignee stay, being one of those who could have it?"""
        agent = self.floor.agents.get(ticket.assignee) if ticket.assignee is not None else None
        return agent is not None and agent.obstacle(queue.key, frozenset(ticket.requirements.required)) is None

    def _holders(self, queue: Queue, skills: frozenset[str]) -> bool:
        return not skills or self._field(queue, skills).holders

    def _wishes(self, ticket: Ticket, queue: Queue) -> Sequence[Wish]:
        """The wishes that still count: time has not dropped them, and somebody could fulfil them (behaviour R-5)."""
        wishes = ticket.requirements.wishes
        if not wishes:
            return ()
        required = frozenset(ticket.requirements.required)
        waited = self.hours.waited(queue, ticket.queued_at or self.hours.now)
        return [
            wish for wish in wishes if waited < wish.drop_after and self._holders(queue, required.union(wish.skills))
        ]

    def _again(self, ticket: Ticket, queue: Queue, wishes: Iterable[Wish]) -> datetime | None:
        since = ticket.queued_at or self.hours.now
        instants = [self.hours.after(queue, since, wish.drop_after) for wish in wishes]
        if queue.overflow and queue.wait_limit is not None and self._limit(queue, since) > self.hours.now:
            instants.append(self._limit(queue, since))
        return min(instants, default=None)

    def _limit(self, queue: Queue, since: datetime) -> datetime:
        assert queue.wait_limit is not None
        return self.hours.after(queue, since, timedelta(seconds=queue.wait_limit))

    def _field(self, queue: Queue, needs: frozenset[str]) -> Field:
        found = self._fields.get((queue.key, needs))
        if found is None:
            found = self._fields[queue.key, needs] = field_of(self.floor, queue.key, needs)
        return found
