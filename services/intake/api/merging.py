"""Merge tickets, and undo it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from libs.chassis.errors import Conflict
from libs.chassis.idempotency import Answer, idempotent
from services.intake.api.answers import CustomerAnswer, TicketAnswer, customer_answer
from services.intake.api.asking import (
    AgentOrAbove,
    AskedOnce,
    IfMatch,
    Parts,
    answering_refusals,
    by,
    check_version,
    etag,
)
from services.intake.api.bodies import Body, Plain
from services.intake.api.tickets import described
from services.intake.desk import Desk
from services.intake.merges import Merges, OtherRequesters
from services.intake.reading import ticket_id
from services.intake.store import Store

router = APIRouter(prefix="/v1/tickets/{ticket}", tags=["merging"])

MOST = 50
Named = Annotated[str, StringConstraints(min_length=1, max_length=64), Plain]


class Merge(Body):
    """Tickets to merge into this one, by id or reference, all or none.

    confirm_requesters: true once somebody has seen that the tickets are of different people (behaviour M-3).
    copy_requesters: true where the requesters of the sources are to get a copy of each answer from now on.
    """

    sources: Annotated[tuple[Named, ...], Field(min_length=1, max_length=MOST)]
    confirm_requesters: bool = False
    copy_requesters: bool = False


class MergeAnswer(BaseModel):
    """The target with all it has now."""

    ticket: TicketAnswer
    merged: list[str] = Field(description="Tickets that became part of it now; those that were before are left out")
    conflicts: list[str] = Field(description="Custom fields in which a merged ticket had another value (behaviour M-3)")


class UnmergeAnswer(BaseModel):
    """A ticket that is by itself again."""

    ticket: TicketAnswer
    target: str = Field(description="The ticket it had been merged into")


class Requester(BaseModel):
    """Whose ticket it is; null where nobody knows."""

    ticket: str
    customer: CustomerAnswer | None


@router.post("/merge", response_model=MergeAnswer)
async def merge(
    ticket: str, body: Merge, caller: AgentOrAbove, asked: AskedOnce, parts: Parts, if_match: IfMatch = None
) -> Response:
    """Merge other tickets into this one; of a merged ticket into the one it is part of (behaviour M-1).

    The sources are closed and lead here; their messages are shown here. 409 names the requesters where they differ and
    that was not confirmed, and tickets that are part of another one, closed or removed.
    """
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            store = Store(transaction)
            merges = Merges(store, by(caller))
            named = [await ticket_id(transaction.connection, each) for each in (ticket, *body.sources)]
            target, sources = await merges.target(named[0], named[1:])
            check_version(target, if_match)
            with answering_refusals(), naming_requesters():
                confirmed, copied = body.confirm_requesters, body.copy_requesters
                merged = await merges.merge(target, sources, confirmed=confirmed, copied=copied)
            desk = Desk(store, parts.settings, by(caller))
            shown = await described(merged.target, store, desk)
            conflicts = [key for key in merged.conflicts if key not in desk.unseen]
            content = MergeAnswer(ticket=shown, merged=list(merged.sources), conflicts=conflicts)
            once.answer = Answer.of(200, content, etag=etag(merged.target))
    return once.response()


@router.post("/unmerge", response_model=UnmergeAnswer)
async def unmerge(
    ticket: str, caller: AgentOrAbove, asked: AskedOnce, parts: Parts, if_match: IfMatch = None
) -> Response:
    """Undo the merge of this ticket: it is again what it was, and the target gives back what it had from it alone.

    409 if it is not merged, or the ticket that it is part of is closed (behaviour M-2).
    """
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            store = Store(transaction)
            merges = Merges(store, by(caller))
            merged, above = await merges.merged(await ticket_id(transaction.connection, ticket))
            check_version(merged, if_match)
            alone = await merges.unmerge(merged, above)
            shown = await described(alone, store, Desk(store, parts.settings, by(caller)))
            content = UnmergeAnswer(ticket=shown, target=merged.merged_into or "")
            once.answer = Answer.of(200, content, etag=etag(alone))
    return once.response()


@contextmanager
def naming_requesters() -> Iterator[None]:
    """Different requesters as a conflict that names them, and says how to go on."""
    try:
        yield
    except OtherRequesters as others:
        raise Conflict(
            f"{others}; say so with confirm_requesters",
            requesters=[
                Requester(
                    ticket=each.id,
                    customer=None if person is None else customer_answer(person),
                ).model_dump()
                for each in others.tickets
                for person in [others.people.get(each.customer_id or "")]
            ],
            confirm="confirm_requesters",
        ) from None
