"""One transaction's work on the floor: tickets are heard, ruled and planned in memory, then stored and said at once."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from libs.chassis.transaction import Transaction
from libs.contracts.routing import RoutedFields, TicketRouted
from libs.contracts.ticket_state import TicketState
from services.router.assignment.deciding import QUEUE, ask_rules
from services.router.assignment.explanation import stored
from services.router.assignment.floor import Floor
from services.router.assignment.planning import Plan, Planner
from services.router.assignment.reasons import Reason
from services.router.assignment.ruling import Ruling
from services.router.assignment.ticket import Reservation, Ticket, priority_rank
from services.router.configuration import RouterConfiguration
from services.router.identifiers import uuid7
from services.router.seeding import seed_if_empty
from services.router.store import Decided, Store

MOST_AT_ONCE = 500
"""Waiting tickets looked at in one go."""
ROUNDS = 4
DRAIN, WAIT = "drain", "wait"
"""Kinds of timers: a queue opens or has more to give out; a ticket's wish or patience ends."""


@dataclass(slots=True)
class Case:
    """Why a ticket is planned. A ruled case asks the rules first; `kept`: the fields that they must leave alone."""

    trigger: str
    state: TicketState | None = None
    kept: frozenset[str] = frozenset()
    opened: bool = False
    cause: str | None = None
    trace: str | None = None
    ruling: Ruling | None = None
    moved: bool = False


class Desk:
    """Has the floor until the transaction ends. Use `open`."""

    def __init__(self, transaction: Transaction, store: Store, floor: Floor) -> None:
        self.transaction, self.store, self.floor = transaction, store, floor
        self.configuration: RouterConfiguration = transaction.config.parsed
        self.hours = self.configuration.hours(transaction.now)
        self.planner = Planner(floor, self.hours, self.configuration.rules.fallback.queue)
        self.tickets: dict[str, Ticket] = {}
        self.cases: dict[str, Case] = {}
        self._decided: list[Decided] = []

    @classmethod
    async def open(cls, transaction: Transaction) -> Self:
        """Wait for the floor; an empty router is filled from the configuration first."""
        store = Store(transaction)
        floor = await store.floor()
        if not floor.queues:
            await seed_if_empty(transaction)
            floor = await store.floor()
        return cls(transaction, store, floor)

    async def know(self, ids: Collection[str]) -> None:
        """Load these tickets; those nobody has heard of begin empty."""
        found = await self.store.tickets(ids)
        for ticket_id in ids:
            self.tickets.setdefault(ticket_id, found.get(ticket_id) or Ticket(ticket_id))

    def adopt(self, tickets: Iterable[Ticket], case: Case) -> None:
        """Take tickets that were loaded already onto the desk, for the same reason."""
        for ticket in tickets:
            self.tickets.setdefault(ticket.id, ticket)
            self.cases.setdefault(ticket.id, case)

    def rule(self, ticket: Ticket, case: Case, texts: Mapping[str, str]) -> None:
        """Ask the rules, and take over where they send the ticket and whom it needs."""
        assert case.state is not None
        ruling = ask_rules(self.configuration, self.floor, self.hours, case.state, texts=texts, kept=case.kept)
        case.ruling = ruling
        case.moved = ticket.queue != ruling.queue
        ticket.queue, ticket.requirements, ticket.deferred = ruling.queue, ruling.requirements, ruling.deferred
        if case.opened and ruling.fields.priority is not None:
            ticket.priority = priority_rank(ruling.fields.priority)

    async def finish(self, available: Iterable[str] = ()) -> None:
        """Plan what wants an agent, give freed agents what waits for them, store and say everything.

        `available`: agents who may have more work now for another reason than a ticket that left them.
        """
        freed = self.floor.freed | set(available)
        wanting = [t for t in self.tickets.values() if t.waiting or self._is_opened(t)]
        for _ in range(ROUNDS):
            freed = {key for key in freed if self.floor.agents[key].takes_work and self.floor.agents[key].has_room}
            limit = self._slots(freed)
            more = await self._waiting(freed, limit) if limit else []
            for ticket in sorted([*wanting, *more], key=lambda one: one.order):
                self._plan(ticket)
            wanting = []
            if len(more) < limit or not limit:
                break
        else:
            self._continue_soon(freed)
        self.store.save(self.tickets.values(), self.floor)
        self.store.decide(self._decided)

    def _is_opened(self, ticket: Ticket) -> bool:
        case = self.cases.get(ticket.id)
        return case is not None and case.opened

    def _slots(self, freed: Iterable[str]) -> int:
        agents = [self.floor.agents[key] for key in freed]
        if any(agent.capacity is None for agent in agents):
            return MOST_AT_ONCE
        return min(MOST_AT_ONCE, sum((agent.capacity or 0) - agent.load for agent in agents))

    async def _waiting(self, freed: set[str], limit: int) -> list[Ticket]:
        queues = set[str]().union(*(self.floor.agents[key].queues for key in freed))
        opened = [key for key in queues if key in self.floor.queues and self.hours.is_open(self.floor.queues[key])]
        found = await self.store.waiting(queues, self.tickets, opened, freed, limit)
        self.adopt(found, Case("drained"))
        return found

    def _continue_soon(self, freed: Iterable[str]) -> None:
        for queue in set[str]().union(*(self.floor.agents[key].queues for key in freed)):
            self.transaction.arm(f"queue:{queue}", DRAIN, self.transaction.now)

    def _plan(self, ticket: Ticket) -> None:
        case = self.cases.get(ticket.id) or Case("replanned")
        queue = ticket.queue
        plan = self.planner.plan(ticket) if ticket.waiting else _left_alone(ticket)
        self._arm(ticket, plan)
        if case.opened or plan.agent or case.moved or plan.queue != queue or _releases(ticket, plan):
            self._say(ticket, case, plan)
        elif case.ruling is not None:
            self._keep(ticket, case, plan, uuid7(self.transaction.now))

    def _arm(self, ticket: Ticket, plan: Plan) -> None:
        if plan.again is not None:
            self.transaction.arm(ticket.id, WAIT, plan.again)
        if plan.reason is Reason.AFTER_HOURS and plan.queue is not None:
            opens = self.hours.opens(self.floor.queues[plan.queue])
            self.transaction.arm(f"queue:{plan.queue}", DRAIN, opens)

    def _say(self, ticket: Ticket, case: Case, plan: Plan) -> None:
        decision = uuid7(self.transaction.now)
        ruling = case.ruling
        routed = TicketRouted(
            decision_id=decision,
            epoch=ticket.epoch,
            fields=ruling.fields if ruling is not None and case.opened else NO_FIELDS,
            queue=plan.queue,
            assignee=plan.agent,
            release=_releases(ticket, plan),
            fallback=plan.fallback or (ruling is not None and ruling.decision.fallback),
            reason=plan.reason,
        )
        if plan.agent is not None and plan.queue is not None:
            ticket.reservation = Reservation(decision, ticket.epoch, plan.agent, plan.queue)
        self.transaction.say(routed, ticket.id, cause=case.cause, trace=case.trace)
        self._keep(ticket, case, plan, decision)

    def _keep(self, ticket: Ticket, case: Case, plan: Plan, decision: str) -> None:
        explanation = stored(case.trigger, case.ruling, plan)
        fallback = plan.fallback or (case.ruling is not None and case.ruling.decision.fallback)
        self._decided.append(
            Decided(ticket.id, decision, ticket.epoch, plan.queue, plan.agent, fallback, plan.reason, explanation)
        )


NO_FIELDS = RoutedFields()


def _releases(ticket: Ticket, plan: Plan) -> bool:
    """Its owner left or cannot take it, and nobody follows yet: it must not look owned (behaviour R-7, R-10)."""
    return ticket.waiting and ticket.assignee is not None and plan.agent is None


def _left_alone(ticket: Ticket) -> Plan:
    """An opened ticket that wants nobody: it has an owner, or is not worked on."""
    return Plan(ticket.queue, Reason.KEPT if ticket.active else Reason.NOT_WORKED_ON)


def decided_fields(state: TicketState) -> frozenset[str]:
    """The fields of a ticket that have values which rules could set, without the queue."""
    named = {key for key in ("category", "priority") if getattr(state, key) is not None}
    return frozenset(named | {f"custom.{key}" for key in state.custom})


def kept_fields(state: TicketState, ticket: Ticket, everything: bool) -> frozenset[str]:
    """What the rules must leave alone: the queue a ticket has; and every field that was set, if people set them."""
    kept = decided_fields(state) if everything else frozenset[str]()
    return kept | {QUEUE} if ticket.queue is not None and state.queue is not None else kept
