"""/v1/queues: where tickets wait, who watches them, in which hours."""

from dataclasses import replace
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.chassis.asking import AgentOrAbove, AskedOnce, LeadOrAbove, Parts
from libs.chassis.errors import Conflict, Invalid, NotFound
from libs.chassis.idempotency import Answer, idempotent
from libs.chassis.pagination import Page
from libs.chassis.tokens import Caller
from services.router.api.asking import actor_of
from services.router.assignment.floor import Queue
from services.router.desk import Desk
from services.router.rules import Key
from services.router.seeding import say_queue
from services.router.store import Store

router = APIRouter(prefix="/v1/queues", tags=["queues"])


class QueueBody(BaseModel):
    """A queue, whole."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    lead: Key = Field(description="Key of an active agent: somebody watches, always (behaviour R-0)")
    schedule: Key | None = Field(None, description="Key of worktime.yaml; null = always open")
    strategy: Literal["round_robin", "balanced"] = "round_robin"
    overflow: Key | None = Field(None, description="Queue that takes over after wait_limit")
    wait_limit: int | None = Field(None, ge=60, le=30 * 86_400, description="Seconds of this queue's hours")
    active: bool = Field(True, description="False: no new tickets; those that come go to the fallback queue")


class NewQueue(QueueBody):
    """A new queue."""

    key: Key


class QueueChange(QueueBody):
    """What may be changed of a queue; what is left out stays."""

    name: str = Field("", min_length=1, max_length=200)
    lead: Key = ""


class QueueView(QueueBody):
    """A queue as it is. waiting: tickets that want an agent."""

    key: str
    agents: list[str]
    waiting: int
    open_now: bool


@router.get("")
async def list_queues(caller: AgentOrAbove, parts: Parts) -> Page[QueueView]:
    """All queues by key, with their agents and how many tickets wait."""
    async with parts.transactions.begin() as transaction:
        store = Store(transaction)
        floor, waiting = await store.glance(), await store.depths()
        hours = transaction.config.parsed.hours(transaction.now)
    return Page[QueueView](
        items=[
            QueueView(
                **_values(queue),
                agents=sorted(key for key, agent in floor.agents.items() if queue.key in agent.queues and agent.active),
                waiting=waiting.get(queue.key, 0),
                open_now=hours.is_open(queue),
            )
            for queue in floor.queues.values()
        ],
        next=None,
    )


@router.post("", status_code=201)
async def add_queue(new: NewQueue, caller: LeadOrAbove, asked: AskedOnce, parts: Parts) -> Response:
    """Add a queue; 409 if the key is taken."""
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            desk = await Desk.open(transaction)
            if new.key in desk.floor.queues:
                raise Conflict(f"there is a queue {new.key!r} already")
            saved = await _save(desk, Queue(**new.model_dump()), caller)
            once.answer = Answer.of(201, saved, location=f"/v1/queues/{new.key}")
    return once.response()


@router.put("/{key}")
async def put_queue(key: Key, whole: QueueBody, caller: LeadOrAbove, parts: Parts) -> NewQueue:
    """Make a queue exactly this; added if there is none."""
    async with parts.transactions.begin() as transaction:
        desk = await Desk.open(transaction)
        return await _save(desk, Queue(key=key, **whole.model_dump()), caller)


@router.patch("/{key}")
async def patch_queue(key: str, change: QueueChange, caller: LeadOrAbove, parts: Parts) -> NewQueue:
    """Change some of a queue."""
    async with parts.transactions.begin() as transaction:
        desk = await Desk.open(transaction)
        known = desk.floor.queues.get(key)
        if known is None:
            raise NotFound(f"there is no queue {key!r}")
        return await _save(desk, replace(known, **change.model_dump(exclude_unset=True)), caller)


async def _save(desk: Desk, queue: Queue, caller: Caller) -> NewQueue:
    """Store and say a queue, if it is sound; what waits in it may be free to go now."""
    _refuse_unsound(desk, queue)
    if desk.floor.queues.get(queue.key) != queue:
        desk.floor.queues[queue.key] = queue
        await desk.store.save_queue(queue)
        say_queue(desk.transaction, queue, actor_of(caller))
        await desk.finish(key for key, agent in desk.floor.agents.items() if queue.key in agent.queues)
    return NewQueue(**_values(queue))


def _refuse_unsound(desk: Desk, queue: Queue) -> None:
    lead = desk.floor.agents.get(queue.lead)
    if lead is None or not lead.active:
        raise Invalid("body.lead", f"{queue.lead!r} is no active agent")
    if queue.schedule is not None and queue.schedule not in desk.configuration.schedules:
        known = ", ".join(sorted(desk.configuration.schedules))
        raise Invalid("body.schedule", f"{queue.schedule!r} is not in worktime.yaml; there are: {known}")
    if queue.overflow is not None and (queue.overflow not in desk.floor.queues or queue.overflow == queue.key):
        raise Invalid("body.overflow", f"{queue.overflow!r} is no other queue")
    if not queue.active and queue.key == desk.configuration.rules.fallback.queue:
        raise Conflict(f"{queue.key} is the fallback queue of the rules: it takes what no rule routes")


def _values(queue: Queue) -> dict[str, object]:
    return {name: getattr(queue, name) for name in NewQueue.model_fields}
