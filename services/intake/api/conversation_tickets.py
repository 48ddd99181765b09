"""Tickets from many conversations at once: hand-offs in bulk, each with an answer of its own (behaviour C-6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from libs.chassis.idempotency import Answer, idempotent
from libs.contracts.publisher import SOURCE_NAME
from services.intake.api.asking import AgentOrAbove, AskedOnce, Parts, answering_refusals, by
from services.intake.api.bodies import Body, Plain, TicketFromConversation
from services.intake.api.conversations import requested
from services.intake.chat_deciding import Outcome
from services.intake.chats import Asked, Chat
from services.intake.conversations import Conversations, Key
from services.intake.domain.conversation import Conversation, Roster
from services.intake.domain.decision import By
from services.intake.domain.fields import Fields, WrongField
from services.intake.feed import take_in
from services.intake.store import Store

router = APIRouter(prefix="/v1", tags=["conversations"])

MOST = 500
THERE = """
SELECT source, conversation_id FROM conversations
WHERE (source, conversation_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
"""


class OneConversation(TicketFromConversation):
    """A conversation, and what the person chooses who makes a ticket of it."""

    source: Annotated[str, StringConstraints(pattern=SOURCE_NAME.pattern, max_length=63)]
    conversation_id: Annotated[str, StringConstraints(min_length=1, max_length=200), Plain]


class ManyConversations(Body):
    """Up to 500."""

    items: Annotated[list[OneConversation], Field(min_length=1, max_length=MOST)]


class MadeTicket(BaseModel):
    """What became of one: 201 opened, 200 the one there was, 404 nothing was heard of it, 422 a field is wrong."""

    source: str
    conversation_id: str
    status: int
    ticket: str | None = Field(None, description="Id of the ticket")
    field: str | None = Field(None, description="Path of the field that is wrong")
    reason: str | None = None


class MadeTickets(BaseModel):
    """What became of each, in their order."""

    items: list[MadeTicket]


@router.post(
    "/conversations/tickets",
    response_model=MadeTickets,
    responses={207: {"model": MadeTickets, "description": "Some have none; each says why"}},
)
async def open_many(body: ManyConversations, caller: AgentOrAbove, asked: AskedOnce, parts: Parts) -> Response:
    """Tickets of up to 500 conversations. 200 if each has one, 207 if some have none; asking again opens none twice."""
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            store = Store(transaction)
            known = await _known(body.items, store)
            chats: dict[Key, Chat] = {}
            made = [_ask(item, known, chats, by(caller)) for item in body.items]
            with answering_refusals():
                outcome = await take_in(chats, store) if chats else Outcome()
            answers = {key: iter(each) for key, each in outcome.answered.items()}
            for each in made:
                if each.reason is None:
                    each.ticket, is_new = next(answers[each.source, each.conversation_id])
                    each.status = 201 if is_new else 200
            whole = all(each.ticket is not None for each in made)
            once.answer = Answer.of(200 if whole else 207, MadeTickets(items=made))
    return once.response()


@dataclass(frozen=True, slots=True)
class _Known:
    """What can be asked for."""

    conversations: set[Key]
    roster: Roster
    fields: Fields


async def _known(items: Sequence[OneConversation], store: Store) -> _Known:
    keys = {(item.source, item.conversation_id) for item in items}
    connection = store.transaction.connection
    rows = await connection.fetch(THERE, [key[0] for key in keys], [key[1] for key in keys])
    roster = await Conversations(connection).roster(
        {item.assignee for item in items if item.assignee}, {item.queue for item in items if item.queue}
    )
    return _Known({(row[0], row[1]) for row in rows}, roster, store.configuration.fields)


def _ask(item: OneConversation, known: _Known, chats: dict[Key, Chat], who: By) -> MadeTicket:
    """Ask for one, unless there is a reason against it."""
    key = (item.source, item.conversation_id)
    made = MadeTicket(source=key[0], conversation_id=key[1], status=200)
    if key not in known.conversations:
        made.status, made.reason = 404, "nothing was heard of it"
        return made
    try:
        _check(item, known.roster)
        request = requested(item.conversation_id, item, known.fields, who.role)
    except WrongField as wrong:
        made.status, made.field, made.reason = 422, wrong.field, wrong.reason
        return made
    chats.setdefault(key, Chat(Conversation(*key))).ask(Asked(request, who))
    return made


def _check(item: OneConversation, roster: Roster) -> None:
    """WrongField for an agent or a queue that cannot be given work."""
    if item.assignee is not None and item.assignee not in roster.agents:
        raise WrongField("assignee", f"{item.assignee!r} is no active agent")
    if item.queue is not None and item.queue not in roster.queues:
        raise WrongField("queue", f"{item.queue!r} is no queue that takes work")
