"""The protocol of assignment against a small intake, in any order of what people, intake and the router do.

The oracle keeps its own books: who holds what is counted from the tickets, never from the floor.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from itertools import count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from libs.contracts.event import Event
from libs.contracts.fact import Fact
from libs.contracts.routing import Presence, TicketRouted
from libs.contracts.ticket import TicketChanged, TicketMerged, TicketOpened, TicketRemoved, TicketRestored
from libs.worktime import Worktime
from services.router.assignment.floor import Agent, Floor, Queue
from services.router.assignment.hours import Hours
from services.router.assignment.planning import Planner
from services.router.assignment.settling import Heard, hear
from services.router.assignment.ticket import Reservation, Ticket
from tests.support.small_intake import SmallIntake

AGENTS = {"ann": ["q1"], "bob": ["q1"], "cem": ["q1", "q2"], "dora": ["q2"]}
NO_SCHEDULES: Mapping[str, Worktime] = {}
NO_ZONES: Mapping[str, tzinfo] = {}


@dataclass
class SmallRouter:
    """The router without a database: one fact at a time, on one floor."""

    floor: Floor
    tickets: dict[str, Ticket] = field(default_factory=dict)
    sent: list[tuple[str, TicketRouted]] = field(default_factory=list)
    numbers: Any = field(default_factory=count)

    def hears(self, fact: Fact[Event]) -> None:
        ticket = self.tickets.setdefault(fact.subject, Ticket(fact.subject))
        data = fact.data
        reopened = isinstance(data, TicketRestored) or (isinstance(data, TicketChanged) and data.reopened)
        changes = data.changes if isinstance(data, TicketChanged) and data.by_person else {}
        owner = changes.get("assignee")
        if isinstance(data, TicketMerged | TicketRemoved | TicketRestored):
            ticket.gone = not isinstance(data, TicketRestored)
        heard = Heard(
            fact.ticket,
            fact.occurred_at,
            fact.cause,
            wants=isinstance(data, TicketOpened) or reopened or (owner is not None and owner.new is None),
            moved="queue" in changes and (owner is None or owner.new is None),
            fresh=reopened,
        )
        hear(ticket, heard, self.floor)
        ticket.queue = ticket.queue or ("q1" if int(ticket.id) % 3 else "q2")
        self.plan(fact.occurred_at)

    def plan(self, now: Any) -> None:
        """Everybody who waits, in order."""
        planner = Planner(self.floor, Hours(NO_SCHEDULES, NO_ZONES, now), "q1")
        for ticket in sorted((t for t in self.tickets.values() if t.waiting), key=lambda one: one.order):
            plan = planner.plan(ticket)
            if plan.agent is not None and plan.queue is not None:
                decision = f"d{next(self.numbers)}"
                ticket.reservation = Reservation(decision, ticket.epoch, plan.agent, plan.queue)
                routed = TicketRouted(
                    decision_id=decision, epoch=ticket.epoch, queue=plan.queue, assignee=plan.agent, reason=plan.reason
                )
                self.sent.append((ticket.id, routed))


class Protocol(RuleBasedStateMachine):
    """Messages from intake to the router keep their order for each ticket, and are late as they please."""

    tickets = Bundle("tickets")

    @initialize(capacity=st.integers(1, 3))
    def begin(self, capacity: int) -> None:
        self.intake = SmallIntake()
        agents = {
            key: Agent(key, queues=frozenset(queues), capacity=capacity, presence=Presence.ONLINE)
            for key, queues in AGENTS.items()
        }
        queues = {key: Queue(key, key, "lead") for key in ("q1", "q2")}
        self.router = SmallRouter(Floor(queues, agents))
        self.said: dict[str, list[Fact[Event]]] = {}

    def say(self, fact: Fact[Event]) -> None:
        self.said.setdefault(fact.subject, []).append(fact)

    @rule(target=tickets, owner=st.none() | st.sampled_from(sorted(AGENTS)))
    def open(self, owner: str | None) -> str:
        ticket = str(len(self.intake.tickets))
        self.say(self.intake.open(ticket, **({"assignee": owner} if owner else {})))
        return ticket

    @rule(ticket=tickets)
    def router_hears(self, ticket: str) -> None:
        if self.said[ticket]:
            self.router.hears(self.said[ticket].pop(0))

    @rule(at=st.integers(0, 5))
    def intake_applies(self, at: int) -> None:
        if self.router.sent:
            ticket, routed = self.router.sent.pop(min(at, len(self.router.sent) - 1))
            self.say(self.intake.apply(ticket, routed))

    @rule(ticket=tickets, owner=st.none() | st.sampled_from(sorted(AGENTS)))
    def person_assigns(self, ticket: str, owner: str | None) -> None:
        self.say(self.intake.person(ticket, assignee=owner))

    @rule(ticket=tickets, queue=st.sampled_from(["q1", "q2"]))
    def person_moves(self, ticket: str, queue: str) -> None:
        self.say(self.intake.person(ticket, queue=queue))

    @rule(ticket=tickets)
    def person_resolves(self, ticket: str) -> None:
        self.say(self.intake.resolve(ticket))

    @rule(ticket=tickets)
    def customer_reopens(self, ticket: str) -> None:
        if self.intake.tickets[ticket].status == "resolved":
            self.say(self.intake.reopen(ticket))

    @rule(ticket=tickets)
    def another_is_merged_into_it(self, ticket: str) -> None:
        self.say(self.intake.absorb(ticket))

    @rule(ticket=tickets, back=st.booleans())
    def spam(self, ticket: str, back: bool) -> None:
        self.say(self.intake.remove(ticket))
        if back:
            self.say(self.intake.restore(ticket))

    @rule(agent=st.sampled_from(sorted(AGENTS)), active=st.booleans(), online=st.booleans())
    def staff(self, agent: str, active: bool, online: bool) -> None:
        known = self.router.floor.agents[agent]
        left = known.active and not active
        known.active, known.presence = active, Presence.ONLINE if online else Presence.AWAY
        for ticket in self.router.tickets.values():
            if left and ticket.active and ticket.assignee == agent and ticket.reservation is None:
                ticket.waits(self.intake.now)
        self.router.plan(self.intake.now + timedelta(seconds=1))

    @invariant()
    def loads_are_what_the_tickets_say(self) -> None:
        held = Counter(ticket.holder for ticket in self.router.tickets.values() if ticket.holder)
        reserved = Counter(t.reservation.agent for t in self.router.tickets.values() if t.reservation)
        assert {key: agent.load for key, agent in self.router.floor.agents.items() if agent.load} == dict(
            held + reserved
        )

    @invariant()
    def nobody_waits_for_whom_somebody_is_free(self) -> None:
        for ticket in self.router.tickets.values():
            assert not (ticket.waiting and ticket.reservation)
            if ticket.waiting:
                able = [agent for agent in self.router.floor.agents.values() if ticket.queue in agent.queues]
                assert not any(agent.takes_work and agent.has_room for agent in able)

    def teardown(self) -> None:
        """When everything is heard, every open ticket has an owner who is there, or waits and nobody is free (R-0)."""
        for _ in range(500):
            for ticket, facts in self.said.items():
                while facts:
                    self.router.hears(facts.pop(0))
                assert ticket in self.router.tickets
            if not self.router.sent:
                break
            self.intake_applies(0)
        assert not self.router.sent, "decisions and refusals never end"
        given = Counter(self.intake.given)
        for key, state in self.intake.tickets.items():
            known = self.router.tickets[key]
            assert known.reservation is None
            assert (known.epoch, known.assignee) == (state.epoch, state.assignee)
            if known.active and not known.waiting:
                assert state.assignee is not None
                assert self.router.floor.agents[state.assignee].active
        turns: Counter[str] = Counter()
        for (_, agent), taken in self.router.floor.turns.items():
            turns[agent] += taken
        assert all(turns[key] == given[key] for key in AGENTS), "a turn that came to nothing is given back"


TestProtocol = Protocol.TestCase
TestProtocol.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
