"""A person's data: all of it as one document, none of it any more, or all of it kept for a court."""

from datetime import datetime
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints
from pydantic_core import to_json

from libs.chassis.errors import Conflict, NotFound
from libs.chassis.idempotency import Answer, idempotent
from services.intake.api.asking import Admin, AskedOnce, Parts, by
from services.intake.api.bodies import Body, Plain
from services.intake.directory import Directory
from services.intake.disclosure import disclosed
from services.intake.erasures import Erasure, Erasures
from services.intake.people import People
from services.intake.privacy_worker import PrivacyWorker
from services.intake.retention import begin_again
from services.intake.store import Store

router = APIRouter(prefix="/v1/customers/{customer}", tags=["privacy"])


class ErasureAnswer(BaseModel):
    """How far an erasure is; it never says who it was."""

    customer: str
    state: str = Field(description="asked or done")
    asked_at: datetime
    asked_by: str
    done_at: datetime | None
    tickets: int = Field(description="Tickets erased so far")
    mails: int = Field(description="Mails erased so far")


class LegalHold(Body):
    """Why nothing may be erased, e.g. the number of a case; null lifts the hold."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True), Plain] | None


class LegalHoldAnswer(BaseModel):
    """Whether a hold keeps everything of this customer, and why."""

    customer: str
    legal_hold: str | None


def worker_of(request: Request) -> PrivacyWorker:
    """Who erases, in this process."""
    return cast(PrivacyWorker, request.app.state.privacy)


@router.get("/export", response_class=Response, responses={200: {"content": {"application/json": {}}}})
async def export(
    customer: str,
    caller: Admin,
    parts: Parts,
    notes: Annotated[bool, Query(description="With internal notes; only while a legal hold keeps everything")] = False,
) -> Response:
    """Everything that is held of a customer, as one JSON document: records, tickets, messages, attachments by id,
    mails, facts. Notes and what other customers wrote stay inside (behaviour N-1).
    """
    async with parts.transactions.begin() as transaction:
        person = await Directory(transaction.connection).person(customer)
        if notes and person is not None and person.legal_hold is None:
            raise Conflict("notes leave only under a legal hold")
        document = await disclosed(transaction.connection, customer, transaction.now, notes=notes)
        if document is None:
            raise NotFound(f"there is no customer {customer}")
        await People(Store(transaction), by(caller)).note(customer, "exported", {"notes": notes})
    named = f'attachment; filename="{customer}.json"' if customer.isascii() and customer.isprintable() else "attachment"
    return Response(to_json(document), media_type="application/json", headers={"Content-Disposition": named})


@router.post("/erasure", status_code=202, response_model=ErasureAnswer)
async def erase(customer: str, caller: Admin, asked: AskedOnce, parts: Parts, request: Request) -> Response:
    """Erase a customer everywhere: 202 at once, it is done in steps (GET says how far). Asking again does no harm, and
    erases what came in since. 409 while a legal hold keeps everything, and for a record that was merged into another.
    """
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            erasure = await Erasures(Store(transaction)).ask(customer, by(caller))
            once.answer = Answer.of(202, _answer(erasure))
    worker_of(request).asked.tell()
    return once.response()


@router.get("/erasure")
async def erasure(customer: str, caller: Admin, parts: Parts) -> ErasureAnswer:
    """How far it is; who asked for it and when stays for good."""
    async with parts.transactions.begin() as transaction:
        found = await Erasures(Store(transaction)).of(customer)
    if found is None:
        raise NotFound(f"nobody has asked to erase a customer {customer}")
    return _answer(found)


@router.put("/legal-hold")
async def hold(customer: str, body: LegalHold, caller: Admin, parts: Parts) -> LegalHoldAnswer:
    """Keep everything of a customer whatever is asked and however old it is, or let it go again."""
    async with parts.transactions.begin() as transaction:
        people = People(Store(transaction), by(caller))
        await people.hold((await people.locked([customer]))[customer], body.reason)
        if body.reason is None:
            await begin_again(transaction.connection)
    return LegalHoldAnswer(customer=customer, legal_hold=body.reason)


def _answer(erasure: Erasure) -> ErasureAnswer:
    return ErasureAnswer(
        customer=erasure.customer_id,
        state=erasure.state,
        asked_at=erasure.asked_at,
        asked_by=erasure.asked_by,
        done_at=erasure.done_at,
        tickets=erasure.tickets,
        mails=erasure.mails,
    )
