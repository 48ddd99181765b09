"""The floor: queues, agents, their loads and turns, as they are under the locks. Changed in memory, written once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median_low

from libs.contracts.routing import Presence
from services.router.assignment.reasons import Obstacle

Strategy = str
ROUND_ROBIN, BALANCED = "round_robin", "balanced"


@dataclass(slots=True)
class Queue:
    """Where tickets wait. `wait_limit`: seconds of its hours after which `overflow` takes over (behaviour R-4)."""

    key: str
    name: str
    lead: str
    schedule: str | None = None
    strategy: Strategy = ROUND_ROBIN
    overflow: str | None = None
    wait_limit: int | None = None
    active: bool = True


@dataclass(slots=True)
class Agent:
    """A person who works tickets. `load` = reservations + assigned tickets whose status counts; capacity None = any."""

    key: str
    name: str | None = None
    email: str | None = None
    role: str = "agent"
    skills: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    capacity: int | None = None
    active: bool = True
    presence: Presence = Presence.OFFLINE
    paused: bool = False
    load: int = 0

    @property
    def has_room(self) -> bool:
        """May one more ticket be given to them (behaviour R-4)? By hand more is allowed (R-12)."""
        return self.capacity is None or self.load < self.capacity

    @property
    def takes_work(self) -> bool:
        """Do they take new work now, room apart?"""
        return self.active and not self.paused and self.presence is Presence.ONLINE

    def obstacle(self, queue: str, needs: frozenset[str]) -> Obstacle | None:
        """Why they cannot have a ticket of this queue, room apart; None when they can (behaviour R-1)."""
        if not self.active:
            return Obstacle.INACTIVE
        if queue not in self.queues:
            return Obstacle.NOT_IN_QUEUE
        if not needs <= self.skills:
            return Obstacle.SKILL_MISSING
        if self.presence is not Presence.ONLINE:
            return Obstacle.AWAY if self.presence is Presence.AWAY else Obstacle.OFFLINE
        return Obstacle.PAUSED_BY_LEAD if self.paused else None


Turn = tuple[str, str]
"""(queue key, agent key)."""


@dataclass(slots=True)
class Floor:
    """All queues and agents; `turns` counts what the router gave each agent in each queue (behaviour R-2)."""

    queues: dict[str, Queue]
    agents: dict[str, Agent]
    turns: dict[Turn, int] = field(default_factory=dict)
    turned: set[Turn] = field(default_factory=set)
    loads_before: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.loads_before = {key: agent.load for key, agent in self.agents.items()}

    def is_gone(self, agent: str | None) -> bool:
        """Has this agent left? One that we never heard of has not (they are intake's business)."""
        known = self.agents.get(agent) if agent is not None else None
        return known is not None and not known.active

    def turn(self, queue: str, agent: str) -> int:
        """How many turns the agent has had in the queue."""
        return self.turns.get((queue, agent), 0)

    def take_turn(self, queue: str, agent: str) -> None:
        """A reservation: load + 1, turn + 1."""
        self.load(agent, 1)
        self._move(queue, agent, 1)

    def give_back(self, queue: str, agent: str) -> None:
        """A reservation that came to nothing: load - 1, turn - 1."""
        self.load(agent, -1)
        self._move(queue, agent, -1)

    def load(self, agent: str | None, change: int) -> None:
        """Move the load of an agent that we know."""
        known = self.agents.get(agent) if agent is not None else None
        if known is not None:
            known.load += change

    def enter(self, agent: Agent) -> None:
        """Somebody is on the roster, or is already."""
        self.agents[agent.key] = agent
        self.loads_before.setdefault(agent.key, agent.load)

    def join(self, agent: Agent, queues: Iterable[str]) -> None:
        """Whoever is new or comes back joins at the median of those at work, so that they are not flooded (R-2)."""
        for queue in queues:
            others = [
                self.turn(queue, other.key)
                for other in self.agents.values()
                if other.key != agent.key and queue in other.queues and other.takes_work
            ]
            if others and (middle := median_low(others)) > self.turn(queue, agent.key):
                self.turns[queue, agent.key] = middle
                self.turned.add((queue, agent.key))

    @property
    def loaded(self) -> dict[str, int]:
        """The loads that changed."""
        return {key: agent.load for key, agent in self.agents.items() if agent.load != self.loads_before.get(key)}

    @property
    def freed(self) -> set[str]:
        """The agents who have fewer tickets than before and may have more."""
        return {
            key
            for key, load in self.loads_before.items()
            if self.agents[key].load < load and self.agents[key].takes_work and self.agents[key].has_room
        }

    def _move(self, queue: str, agent: str, change: int) -> None:
        self.turns[queue, agent] = self.turn(queue, agent) + change
        self.turned.add((queue, agent))
