"""/v1/agents: who works here, with which skills, in which queues, and whether they take work now."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.chassis.asking import AgentOrAbove, AskedOnce, LeadOrAbove, Parts
from libs.chassis.errors import Conflict, Forbidden, Invalid, NotFound
from libs.chassis.idempotency import Answer, idempotent
from libs.chassis.pagination import DEFAULT_LIMIT, CursorParameter, Limit, Page, Position, decode, page_of
from libs.chassis.resources import Resources
from libs.chassis.tokens import Caller, Role
from libs.contracts.routing import Presence
from services.router.api.asking import actor_of
from services.router.assignment.floor import Agent, Floor
from services.router.desk import Desk
from services.router.rules import Key
from services.router.staff import change_agent
from services.router.store import Store

router = APIRouter(prefix="/v1/agents", tags=["agents"])

Names = Annotated[list[Key], Field(max_length=200)]


class AgentChange(BaseModel):
    """What may be changed of an agent; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=200)
    email: str | None = Field(None, max_length=254)
    role: Literal["agent", "lead"] = "agent"
    skills: Names = []
    queues: Names = []
    capacity: int | None = Field(None, ge=0, le=100_000, description="Open tickets at most; null = any number")
    active: bool = Field(True, description="False: left the team; open tickets go to others, tokens are refused")
    presence: Presence = Presence.OFFLINE
    paused: bool = Field(False, description="True: a lead gives them no new work")


class NewAgent(AgentChange):
    """A new agent."""

    key: Key


class PresenceChange(BaseModel):
    """Whether an agent takes new work from now on."""

    model_config = ConfigDict(extra="forbid")

    presence: Presence


class AgentView(BaseModel):
    """An agent as they are. load: reservations and assigned tickets that count."""

    key: str
    name: str | None
    email: str | None
    role: str
    skills: list[str]
    queues: list[str]
    capacity: int | None
    active: bool
    presence: Presence
    paused: bool
    load: int
    turns: dict[str, int] = Field(description="Turns taken in round robin, by queue")


class AfterAgent(Position):
    """The last agent of a page."""

    key: str


def view_of(agent: Agent, floor: Floor) -> AgentView:
    """An agent for callers."""
    return AgentView(
        key=agent.key,
        name=agent.name,
        email=agent.email,
        role=agent.role,
        skills=sorted(agent.skills),
        queues=sorted(agent.queues),
        capacity=agent.capacity,
        active=agent.active,
        presence=agent.presence,
        paused=agent.paused,
        load=agent.load,
        turns={queue: count for (queue, key), count in sorted(floor.turns.items()) if key == agent.key},
    )


@router.get("")
async def list_agents(
    caller: AgentOrAbove,
    parts: Parts,
    queue: str | None = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorParameter = None,
) -> Page[AgentView]:
    """All agents by key, or those of one queue."""
    after = decode(AfterAgent, cursor).key if cursor is not None else ""
    floor = await _glance(parts)
    found = [floor.agents[key] for key in sorted(floor.agents) if key > after]
    wanted = [agent for agent in found if queue is None or queue in agent.queues][: limit + 1]
    rows, following = page_of(wanted, limit, lambda agent: AfterAgent(key=agent.key))
    return Page[AgentView](items=[view_of(agent, floor) for agent in rows], next=following)


@router.get("/{key}")
async def get_agent(key: str, caller: AgentOrAbove, parts: Parts) -> AgentView:
    """One agent."""
    floor = await _glance(parts)
    return view_of(_known(floor, key), floor)


@router.post("", status_code=201)
async def add_agent(new: NewAgent, caller: LeadOrAbove, asked: AskedOnce, parts: Parts) -> Response:
    """Add an agent; 409 if the key is taken."""
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            desk = await Desk.open(transaction)
            if new.key in desk.floor.agents:
                raise Conflict(f"there is an agent {new.key!r} already")
            changes = new.model_dump(exclude={"key"})
            view = await _change(desk, Agent(new.key, presence=new.presence), changes, caller)
            once.answer = Answer.of(201, view, location=f"/v1/agents/{new.key}")
    return once.response()


@router.put("/{key}")
async def put_agent(key: Key, whole: AgentChange, caller: LeadOrAbove, parts: Parts) -> AgentView:
    """Make an agent exactly this; added if there is none."""
    async with parts.transactions.begin() as transaction:
        desk = await Desk.open(transaction)
        return await _change(desk, desk.floor.agents.get(key) or Agent(key), whole.model_dump(), caller)


@router.patch("/{key}")
async def patch_agent(key: str, change: AgentChange, caller: LeadOrAbove, parts: Parts) -> AgentView:
    """Change some of an agent."""
    async with parts.transactions.begin() as transaction:
        desk = await Desk.open(transaction)
        return await _change(desk, _known(desk.floor, key), change.model_dump(exclude_unset=True), caller)


@router.put("/{key}/presence")
async def put_presence(key: str, change: PresenceChange, caller: AgentOrAbove, parts: Parts) -> AgentView:
    """Come, go or pause. An agent may do this for themselves only, a lead for everybody."""
    if caller.role is Role.AGENT and caller.agent != key:
        raise Forbidden("agents change their own presence only")
    async with parts.transactions.begin() as transaction:
        desk = await Desk.open(transaction)
        return await _change(desk, _known(desk.floor, key), change.model_dump(), caller)


async def _glance(parts: Resources) -> Floor:
    async with parts.transactions.begin() as transaction:
        return await Store(transaction).glance()


async def _change(desk: Desk, agent: Agent, changes: dict[str, Any], caller: Caller) -> AgentView:
    _refuse_unknown_queues(desk.floor, changes)
    if changes.get("active") is False:
        _refuse_to_leave_queues_alone(desk.floor, agent)
    await change_agent(desk, agent, changes, actor_of(caller))
    await desk.finish([agent.key])
    return view_of(agent, desk.floor)


def _refuse_unknown_queues(floor: Floor, changes: dict[str, Any]) -> None:
    for queue in changes.get("queues", ()):
        if queue not in floor.queues:
            raise Invalid(
                "body.queues", f"queue {queue!r} does not exist; there are: {', '.join(sorted(floor.queues))}"
            )


def _refuse_to_leave_queues_alone(floor: Floor, agent: Agent) -> None:
    """Every queue has a lead who is there (behaviour R-0)."""
    led = sorted(queue.key for queue in floor.queues.values() if queue.active and queue.lead == agent.key)
    if led:
        raise Conflict(f"{agent.key} leads {', '.join(led)}: give these queues another lead first", queues=led)


def _known(floor: Floor, key: str) -> Agent:
    agent = floor.agents.get(key)
    if agent is None:
        raise NotFound(f"there is no agent {key!r}")
    return agent
