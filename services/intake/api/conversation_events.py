"""The HTTP door for systems that do not speak NATS: conversation events, with a token or signed (behaviour I-6)."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, ValidationError

from libs.chassis.errors import Invalid, NotReady
from libs.chassis.idempotency import Answer, idempotent
from libs.chassis.resources import Resources
from libs.chassis.tokens import anyone
from libs.contracts.catalogue import CATALOGUE
from libs.contracts.conversation import ConversationEvent, TicketRequested
from libs.contracts.envelope import CloudEvent, EnvelopeError
from libs.contracts.event import Event
from libs.contracts.publisher import SOURCE_NAME, NotAccepted, Outgoing, Publisher
from services.intake.api.asking import Parts
from services.intake.api.senders import Sender, sender_of
from services.intake.domain.fields import Fields, WrongField

router = APIRouter(prefix="/v1", tags=["conversations"])

MOST = 500
EXAMPLE = {
    "specversion": "1.0",
    "id": "m-17-3",
    "source": "chat",
    "type": "signalbox.conversation.message-added.v1",
    "time": "2026-03-02T09:00:00Z",
    "data": {"conversation_id": "c-17", "seq": 3, "role": "customer", "text": "My lamp flickers."},
}
ONE = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "pattern": f"^{SOURCE_NAME.pattern}$"},
        "type": {"type": "string"},
        "time": {"type": "string", "format": "date-time"},
        "data": {"type": "object"},
    },
}
EVENTS = {
    "required": True,
    "content": {
        "application/cloudevents+json": {"schema": ONE, "example": EXAMPLE},
        "application/cloudevents-batch+json": {
            "schema": {"type": "array", "items": ONE, "minItems": 1, "maxItems": MOST},
            "example": [EXAMPLE],
        },
    },
}


class Reception(BaseModel):
    """What became of one event. `reason` names the field where it was not accepted."""

    id: str | None
    accepted: bool
    reason: str | None = None


class Receptions(BaseModel):
    """What became of each event, in their order."""

    items: list[Reception] = Field(description="As many as were sent")


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event that can be published."""

    source: str
    outgoing: Outgoing


@router.post(
    "/conversation-events",
    status_code=202,
    response_model=Receptions,
    responses={207: {"model": Receptions, "description": "Some were accepted"}},
    dependencies=[Depends(anyone)],
    openapi_extra={"requestBody": EVENTS},
)
async def take_events(request: Request, sender: Annotated[Sender, Depends(sender_of)], parts: Parts) -> Response:
    """Conversation events as CloudEvents in JSON, one or an array of up to 500 (behaviour C-6).

    They are published into the same stream as those of NATS, and answered when they are stored. 202 if all were, 207
    if some were not, 422 if none was sound. Sending an event again with its id does no harm. A source that signs
    (Standard Webhooks, `?source=` names it) may send its own events only.
    """
    body = await request.body()
    if sender.asked.key is None:
        return (await _taken(body, sender, parts)).response()
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, sender.asked) as once:
        if once.answer is None:
            once.answer = await _taken(body, sender, parts)
    return once.response()


async def _taken(body: bytes, sender: Sender, parts: Resources) -> Answer:
    given = _envelopes(body)
    sound: list[Incoming] = []
    receptions: list[Reception] = []
    for envelope in given:
        try:
            sound.append(_incoming(envelope, sender, parts.configuration.current.parsed.fields))
            receptions.append(Reception(id=envelope.id, accepted=True))
        except ValueError as fault:
            receptions.append(Reception(id=envelope.id, accepted=False, reason=str(fault)))
    if not sound:
        raise Invalid("body", receptions[0].reason or "no events")
    await _publish(sound, parts.broker.wire)
    return Answer.of(202 if len(sound) == len(given) else 207, Receptions(items=receptions))


def _envelopes(body: bytes) -> list[CloudEvent]:
    try:
        given = CloudEvent.from_batch(body)
    except EnvelopeError as fault:
        raise Invalid("body", str(fault)) from None
    if not 1 <= len(given) <= MOST:
        raise Invalid("body", f"{len(given)} events; 1 to {MOST} are allowed")
    return given


def _incoming(envelope: CloudEvent, sender: Sender, fields: Fields) -> Incoming:
    """ValueError names the field and the reason."""
    kind = CATALOGUE.get(envelope.type)
    if kind is None or not issubclass(kind, ConversationEvent):
        raise ValueError(f"type: {envelope.type!r} is no event of conversations")
    if sender.source is not None and envelope.source != sender.source:
        raise ValueError(f"source: {sender.source} may not speak for {envelope.source!r}")
    if not SOURCE_NAME.fullmatch(envelope.source):
        raise ValueError("source: must have a to z, 0 to 9, _ and - only, and at most 63 of them")
    event = _parsed(kind, envelope.data)
    if isinstance(event, TicketRequested):
        _check(event, fields)
    return Incoming(envelope.source, Outgoing(event, envelope.id, envelope.time))


def _check(request: TicketRequested, fields: Fields) -> None:
    """ValueError for a field that cannot be so; who asks over NATS is told on the ticket instead."""
    try:
        fields.category(request.category)
        fields.custom(request.custom, request.queue)
    except WrongField as wrong:
        raise ValueError(f"data.{wrong}") from None


def _parsed(kind: type[Event], data: bytes) -> Event:
    try:
        return kind.model_validate_json(data)
    except ValidationError as faults:
        first = faults.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"data.{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


async def _publish(incoming: list[Incoming], connection: Any) -> None:
    """Each source's events in their order."""
    by_source: dict[str, list[Event | Outgoing]] = {}
    for each in incoming:
        by_source.setdefault(each.source, []).append(each.outgoing)
    try:
        for source, events in by_source.items():
            await Publisher(connection, source).publish_many(events)
    except* NotAccepted as failures:
        raise NotReady(f"send the events again with the same ids: {failures.exceptions[0]}") from None
