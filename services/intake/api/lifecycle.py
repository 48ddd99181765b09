"""Out of work and back: spam and deletion, both to be undone; and what the customer thinks of it (L-14, K-5)."""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints

from libs.chassis.idempotency import idempotent
from libs.chassis.pagination import DEFAULT_LIMIT, CursorParameter, Limit, Page, Position, decode, page_of
from services.intake.api.answers import TicketAnswer
from services.intake.api.asking import (
    AgentOrAbove,
    AskedOnce,
    IfMatch,
    Parts,
    answering_refusals,
    by,
    check_version,
    locked,
)
from services.intake.api.bodies import Body, Plain
from services.intake.api.tickets import answer, described
from services.intake.desk import Desk, Words
from services.intake.domain.decision import Decision
from services.intake.domain.rating import rate
from services.intake.domain.removing import remove, restore
from services.intake.domain.ticket import Ticket
from services.intake.reading import ticket_id
from services.intake.store import Store

router = APIRouter(prefix="/v1", tags=["tickets"])

REMOVED = """
SELECT id FROM tickets WHERE removed IS NOT NULL AND removed <> 'erased' AND ($1::text IS NULL OR id < $1)
ORDER BY id DESC LIMIT $2
"""


class Removal(Body):
    """Why. Spam also stops everything automatic to its author on this ticket."""

    reason: Literal["spam", "deleted"]


class Return(Body):
    """Why it comes back."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), Plain] = "restored"


class NewRating(Body):
    """1 worst, 5 best. comment: in the customer's words, kept as an internal note."""

    score: int = Field(ge=1, le=5)
    comment: Annotated[str, StringConstraints(min_length=1, max_length=5000), Plain] | None = None


class RemovedPosition(Position):
    """Where a page of removed tickets ended."""

    id: str


@router.get("/removed-tickets")
async def list_removed(
    caller: AgentOrAbove, parts: Parts, limit: Limit = DEFAULT_LIMIT, cursor: CursorParameter = None
) -> Page[TicketAnswer]:
    """Spam and deleted tickets, the newest first."""
    after = None if cursor is None else decode(RemovedPosition, cursor).id
    async with parts.transactions.begin() as transaction:
        store = Store(transaction)
        rows = await transaction.connection.fetch(REMOVED, after, limit + 1)
        shown, following = page_of(rows, limit, lambda row: RemovedPosition(id=row["id"]))
        desk = Desk(store, parts.settings, by(caller))
        found = [await store.glance(row["id"]) for row in shown]
        items = [await described(ticket, store, desk) for ticket in found if ticket is not None]
    return Page(items=items, next=following)


@router.post("/tickets/{ticket}/remove", response_model=TicketAnswer)
async def take_out(
    ticket: str, body: Removal, caller: AgentOrAbove, asked: AskedOnce, parts: Parts, if_match: IfMatch = None
) -> Response:
    """Take it out of work as spam or deleted: in no list, no load, no clock. Nothing is lost; `restore` undoes it."""
    return await _decided(
        ticket,
        lambda before, store: remove(before, body.reason, store.transaction.now, by(caller)),
        caller,
        asked,
        parts,
        if_match,
    )


@router.post("/tickets/{ticket}/restore", response_model=TicketAnswer)
async def bring_back(
    ticket: str, body: Return, caller: AgentOrAbove, asked: AskedOnce, parts: Parts, if_match: IfMatch = None
) -> Response:
    """Work on it again, in the status it had; its open clocks begin anew."""
    return await _decided(
        ticket,
        lambda before, store: restore(before, body.reason, store.statuses, store.transaction.now, by(caller)),
        caller,
        asked,
        parts,
        if_match,
    )


@router.post("/tickets/{ticket}/rating", response_model=TicketAnswer)
async def take_rating(ticket: str, body: NewRating, caller: AgentOrAbove, asked: AskedOnce, parts: Parts) -> Response:
    """What the customer thinks of it, told by a survey, a portal or on the phone; the last one counts.

    409 for an agent whom the rating is attributed to.
    """
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            store = Store(transaction)
            desk = Desk(store, parts.settings, by(caller))
            before = await locked(store, await ticket_id(transaction.connection, ticket))
            with answering_refusals():
                decision: Decision = rate(before, body.score, transaction.now, by(caller))
            await store.save([decision])
            if body.comment is not None and not decision.ticket.is_closed:
                decision = await desk.note(decision.ticket, Words(f"Rated {body.score} of 5: {body.comment}"))
            once.answer = await answer(200, decision.ticket, store, desk)
    return once.response()


async def _decided(
    ticket: str,
    decide: Callable[[Ticket, Store], Decision],
    caller: AgentOrAbove,
    asked: AskedOnce,
    parts: Parts,
    if_match: IfMatch,
) -> Response:
    """Decide about a ticket that may be out of work, once for a request, and show it as it is then."""
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            store = Store(transaction)
            before = await locked(store, await ticket_id(transaction.connection, ticket), removed=True)
            check_version(before, if_match)
            with answering_refusals():
                decision = decide(before, store)
            await store.save([decision])
            once.answer = await answer(200, decision.ticket, store, Desk(store, parts.settings, by(caller)))
    return once.response()
