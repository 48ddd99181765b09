"""Tickets from conversations, by hand."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from libs.chassis.errors import NotFound
from libs.chassis.idempotency import idempotent
from libs.contracts.conversation import TicketRequested
from libs.contracts.publisher import SOURCE_NAME
from services.intake.api.answers import TicketAnswer
from services.intake.api.asking import AgentOrAbove, AskedOnce, Parts, answering_refusals, by, locked
from services.intake.api.bodies import TicketFromConversation, priority
from services.intake.api.tickets import answer
from services.intake.chats import Asked, Chat
from services.intake.conversations import Key
from services.intake.desk import Desk
from services.intake.domain.conversation import Conversation
from services.intake.domain.fields import Fields
from services.intake.domain.rights import check_change
from services.intake.feed import take_in
from services.intake.store import Store

router = APIRouter(prefix="/v1", tags=["conversations"])

THERE = "SELECT 1 FROM conversations WHERE source = $1 AND conversation_id = $2"
Source = Annotated[str, Path(pattern=SOURCE_NAME.pattern, max_length=63)]


@router.post("/conversations/{source}/{conversation_id}/ticket", status_code=201, response_model=TicketAnswer)
async def open_from_conversation(
    source: Source,
    conversation_id: str,
    body: TicketFromConversation,
    caller: AgentOrAbove,
    asked: AskedOnce,
    parts: Parts,
) -> Response:
    """The ticket of a conversation, active or resolved: opened with the whole transcript, or the one it has (C-1)."""
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            if not await transaction.connection.fetchval(THERE, source, conversation_id):
                raise NotFound(f"source {source} has said nothing about a conversation {conversation_id!r}")
            store = Store(transaction)
            desk = Desk(store, parts.settings, by(caller))
            await desk.check_roster(body.assignee, body.queue)
            key: Key = (source, conversation_id)
            chat = Chat(Conversation(*key))
            with answering_refusals():
                wanted = requested(conversation_id, body, store.configuration.fields, caller.role)
                chat.ask(Asked(wanted, by(caller)))
                outcome = await take_in({key: chat}, store)
            id, is_new = outcome.answered[key][0]
            once.answer = await answer(201 if is_new else 200, await locked(store, id), store, desk)
    return once.response()


def requested(conversation_id: str, body: TicketFromConversation, fields: Fields, role: str) -> TicketRequested:
    """WrongField for what a field cannot be, NotYours for one that the role may not change."""
    fields.category(body.category)
    check_change(role, fields, body.custom)
    custom = {key: value for key, value in fields.custom(body.custom, body.queue).items() if value is not None}
    chosen = body.model_dump(include={"subject", "assignee", "queue", "category", "tags", "intent_id", "topic"})
    return TicketRequested(
        conversation_id=conversation_id,
        reason=body.reason,
        summary=body.summary,
        priority=priority(body.priority),
        custom=custom,
        name=body.customer.name,
        email=body.customer.email,
        **chosen,
    )
