"""Who could have a ticket, who gets it, and why not the others (behaviour R-1 to R-3)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.router.assignment.floor import BALANCED, Agent, Floor, Queue
from services.router.assignment.reasons import Obstacle

NAMED_EVERYBODY = 50
"""With more agents than this, those outside the queue are not named one by one."""

Rejected = Mapping[str, Sequence[str]]
"""Agent keys by reason code; plain texts, which become JSON in a fifth of the time that members of an enum take."""


@dataclass(frozen=True, slots=True)
class Field:
    """Everybody considered for a queue and a set of needs, room and turns apart."""

    able: tuple[Agent, ...]
    holders: bool
    rejected: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Choice:
    """The agent chosen, if any, and everybody else by reason code."""

    agent: Agent | None
    rejected: Rejected


def field_of(floor: Floor, queue: str, needs: frozenset[str]) -> Field:
    """Sort all agents for this queue. `holders`: somebody there has the skills, now or later."""
    rejected: dict[str, list[str]] = defaultdict(list)
    able: list[Agent] = []
    holders = False
    named = len(floor.agents) <= NAMED_EVERYBODY
    for key in sorted(floor.agents):
        agent = floor.agents[key]
        obstacle = agent.obstacle(queue, needs)
        holders = holders or (agent.active and queue in agent.queues and needs <= agent.skills)
        if obstacle is None:
            able.append(agent)
        elif named or obstacle not in (Obstacle.NOT_IN_QUEUE, Obstacle.INACTIVE):
            rejected[obstacle.value].append(key)
    return Field(tuple(able), holders, {code: tuple(keys) for code, keys in rejected.items()})


def choose(floor: Floor, queue: Queue, field: Field, strategy: str | None, pinned: str | None) -> Choice:
    """The agent whose turn it is among those with room; a pinned agent with room goes before.

    Round robin: the fewest turns in this queue, then the key (R-2). Balanced: the least load, then round robin (R-3).
    """
    balanced = (strategy or queue.strategy) == BALANCED
    free, full = _by_room(field.able)
    wanted = next((agent for agent in free if agent.key == pinned), None) if pinned is not None else None
    chosen = wanted or _next(floor, queue.key, free, balanced)
    rejected: dict[str, Sequence[str]] = {**field.rejected}
    if full:
        rejected[Obstacle.AT_CAPACITY.value] = full
    if chosen is not None:
        _rank_losers(rejected, free, chosen, balanced, wanted is not None)
    return Choice(chosen, rejected)


def _by_room(able: Sequence[Agent]) -> tuple[list[Agent], list[str]]:
    """Who may have one more ticket, and the keys of those who may not."""
    free: list[Agent] = []
    full: list[str] = []
    for agent in able:
        capacity = agent.capacity
        if capacity is None or agent.load < capacity:
            free.append(agent)
        else:
            full.append(agent.key)
    return free, full


def _next(floor: Floor, queue: str, free: Sequence[Agent], balanced: bool) -> Agent | None:
    """The first in turn; `free` is in the order of the keys, so that of equals the first one stays."""
    turns, chosen, least = floor.turns, None, (0, 0)
    for agent in free:
        key = agent.load if balanced else 0, turns.get((queue, agent.key), 0)
        if chosen is None or key < least:
            chosen, least = agent, key
    return chosen


def _rank_losers(
    rejected: dict[str, Sequence[str]], free: Sequence[Agent], chosen: Agent, balanced: bool, pinned: bool
) -> None:
    if pinned:
        rejected[Obstacle.NOT_PINNED.value] = [agent.key for agent in free if agent is not chosen]
        return
    limit = chosen.load if balanced else None
    busier, later = [], []
    for agent in free:
        if limit is not None and agent.load > limit:
            busier.append(agent.key)
        elif agent is not chosen:
            later.append(agent.key)
    if busier:
        rejected[Obstacle.BUSIER.value] = busier
    if later:
        rejected[Obstacle.LATER_TURN.value] = later
