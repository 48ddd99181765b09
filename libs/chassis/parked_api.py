"""`/v1/parked`: messages that could not be handled, for `signalbox parked list|show|replay|discard`."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field

from libs.chassis.asking import AskedOnce, Parts
from libs.chassis.idempotency import Answer, idempotent
from libs.chassis.replay import Replay
from libs.chassis.tokens import Role, require

router = APIRouter(prefix="/v1/parked", tags=["operations"], dependencies=[Depends(require(Role.ADMIN))])

LARGEST = 2**63 - 1
ParkedId = Annotated[int, Path(ge=1, le=LARGEST, description="Number of the parked message")]
State = Literal["parked", "replayed", "discarded"]


class ParkedMessage(BaseModel):
    """A message that could not be handled, and why."""

    id: int
    door: str = Field(description="The consumer it came by: facts, timers or a feed")
    speaker: str
    subject: str
    n: int | None
    nats_subject: str | None
    reason: str
    parked_at: datetime
    state: State
    settled_at: datetime | None


class ParkedPage(BaseModel):
    """Parked messages, oldest first. next: what to give as `after` for the following page."""

    items: list[ParkedMessage]
    next: str | None


class WholeMessage(ParkedMessage):
    """With what it consists of, as text."""

    headers: str
    payload: str


class Replayed(BaseModel):
    """How many messages were handled: it and what waited behind it."""

    replayed: int


def _desk(request: Request) -> Replay:
    desk: Replay = request.app.state.replay
    return desk


@router.get("", summary="Parked messages, oldest first")
async def list_parked(
    request: Request,
    state: Annotated[State, Query()] = "parked",
    after: Annotated[int, Query(ge=0, le=LARGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ParkedPage:
    """A page of messages in one state."""
    rows = await _desk(request).page(state, after, limit)
    items = [ParkedMessage.model_validate(dict(row)) for row in rows]
    return ParkedPage(items=items, next=str(rows[-1]["id"]) if len(rows) == limit else None)


@router.get("/{parked_id}", summary="One parked message with its headers and data")
async def show(request: Request, parked_id: ParkedId) -> WholeMessage:
    """404 if there is none."""
    row = dict(await _desk(request).show(parked_id))
    text = {name: row[name].decode(errors="replace") for name in ("headers", "payload")}
    return WholeMessage.model_validate({**row, **text})


@router.post("/{parked_id}/replay", summary="Handle it again, and what waits behind it", response_model=Replayed)
async def replay(request: Request, parked_id: ParkedId, once_asked: AskedOnce, parts: Parts) -> Response:
    """409 names the message that still cannot be handled; those before it are done."""
    # each message is handled in a transaction of its own, and settled in it: without the answer it is not done twice
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, once_asked) as once:
        if once.answer is None:
            once.answer = Answer.of(200, Replayed(replayed=await _desk(request).replay(parked_id)))
    return once.response()


@router.post("/{parked_id}/discard", status_code=204, summary="Give it up", response_class=Response)
async def discard(request: Request, parked_id: ParkedId, once_asked: AskedOnce, parts: Parts) -> Response:
    """What waits behind it stays parked and can be replayed."""
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, once_asked) as once:
        if once.answer is None:
            await _desk(request).discard(parked_id)
            once.answer = Answer(204, b"")
    return once.response()
