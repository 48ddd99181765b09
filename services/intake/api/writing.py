"""What is written on a ticket, and its whole story."""

from datetime import datetime

from fastapi import APIRouter, Response

from libs.chassis.idempotency import Answer, idempotent
from libs.chassis.pagination import DEFAULT_LIMIT, CursorParameter, Limit, Page, Position, decode, page_of
from services.intake.api.answers import FactAnswer, Written, fact_answer
from services.intake.api.asking import (
    AgentOrAbove,
    AskedOnce,
    IfMatch,
    Parts,
    answering_refusals,
    by,
    check_version,
    etag,
    living,
    reads_inside,
)
from services.intake.api.bodies import NewNote, NewReply
from services.intake.api.links import AttachmentLinks
from services.intake.api.message_answers import MessageAnswer, message_answer
from services.intake.api.tickets import described
from services.intake.desk import Desk, Words
from services.intake.domain.decision import Decision
from services.intake.domain.message import Visibility
from services.intake.domain.rights import unseen_by
from services.intake.reading import messages, ticket_id, timeline
from services.intake.store import Store

router = APIRouter(prefix="/v1/tickets/{ticket}", tags=["tickets"])


class FactPosition(Position):
    """Where a page of a timeline ended."""

    at: datetime
    speaker: str
    n: int


@router.post("/replies", status_code=201, response_model=Written)
async def reply(
    ticket: str, body: NewReply, caller: AgentOrAbove, asked: AskedOnce, parts: Parts, if_match: IfMatch = None
) -> Response:
    """Answer the customer, and submit the ticket as a status in the same step: the answer first (behaviour S-4).

    What is written to a merged ticket goes to the one it was merged into, whose version If-Match names then (H-5).
    """
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            store = Store(transaction)
            desk = Desk(store, parts.settings, by(caller), caller.subject)
            before = await living(store, await ticket_id(transaction.connection, ticket))
            check_version(before, if_match)
            with answering_refusals():
                words = Words(body.text, body.html, body.attachments)
                decision = await desk.reply(before, words, body.submit_as)
            once.answer = await _written(decision, store, desk)
    return once.response()


@router.post("/notes", status_code=201, response_model=Written)
async def note(ticket: str, body: NewNote, caller: AgentOrAbove, asked: AskedOnce, parts: Parts) -> Response:
    """Note something for agents only (behaviour N-1); on a merged ticket it goes to where that went (H-5)."""
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            store = Store(transaction)
            desk = Desk(store, parts.settings, by(caller))
            before = await living(store, await ticket_id(transaction.connection, ticket))
            with answering_refusals():
                decision = await desk.note(before, Words(body.text))
            once.answer = await _written(decision, store, desk)
    return once.response()


@router.get("/messages")
async def read_messages(ticket: str, caller: AgentOrAbove, parts: Parts) -> Page[MessageAnswer]:
    """Messages and notes in order, the transcript of the conversation and what was merged into it among them (M-2).

    A program reads what is public: no notes, and nothing that is held.
    """
    async with parts.database.connection() as connection:
        found = await messages(connection, await ticket_id(connection, ticket))
    if not reads_inside(caller):
        found = [each for each in found if each.message.visibility is Visibility.PUBLIC]
    links = AttachmentLinks.of(parts)
    return Page(items=[message_answer(each, links) for each in found])


@router.get("/timeline")
async def read_timeline(
    ticket: str, caller: AgentOrAbove, parts: Parts, limit: Limit = DEFAULT_LIMIT, cursor: CursorParameter = None
) -> Page[FactAnswer]:
    """Every fact about the ticket by every service, oldest first: who did what, when, through what."""
    after = None if cursor is None else decode(FactPosition, cursor)
    place = None if after is None else (after.at, after.speaker, after.n)
    async with parts.database.connection() as connection:
        rows = await timeline(connection, await ticket_id(connection, ticket), place, limit + 1)
    shown, following = page_of(
        rows, limit, lambda row: FactPosition(at=row["occurred_at"], speaker=row["speaker"], n=row["n"])
    )
    unseen = unseen_by(caller.role, parts.configuration.current.parsed.fields)
    return Page(items=[fact_answer(row, unseen) for row in shown], next=following)


async def _written(decision: Decision, store: Store, desk: Desk) -> Answer:
    content = Written(message_id=decision.messages[-1].id, ticket=await described(decision.ticket, store, desk))
    return Answer.of(201, content, etag=etag(decision.ticket))
