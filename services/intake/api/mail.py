"""Mail by HTTP, and what became of mails."""

import asyncio
from datetime import datetime
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field

from libs.chassis.errors import Invalid, NotFound, NotReady, TooLarge, UnsupportedMedia
from libs.chassis.idempotency import Answer, idempotent
from libs.chassis.resources import Resources
from libs.chassis.transaction import Connection
from services.intake.acceptance import Incoming, NotStored, insert_received
from services.intake.api.asking import AgentOrAbove, AskedOnce, LeadOrAbove, Parts
from services.intake.configuration import IntakeConfiguration
from services.intake.inbound.outcome import Because, Disposition
from services.intake.inbound.receipts import Receipts
from services.intake.inbound.reconciling import differences
from services.intake.mailing import Mailing

router = APIRouter(prefix="/v1", tags=["mail"])

QUICK_SECONDS = 2.0
GLANCE_SECONDS = 0.5
MEDIA_TYPES = ("message/rfc822", "message/global")
COLUMNS = (
    "id, disposition, reason, because, received_at, author, subject, mailbox, ticket_id, message_id, verified,"
    " handled_by, handled_at"
)
ONE = f"SELECT {COLUMNS} FROM inbound_mail WHERE id = $1"


class MailAnswer(BaseModel):
    """One mail that was taken in."""

    id: int = Field(description="Number of the receipt")
    disposition: Disposition
    reason: str | None = None
    because: Because | None = Field(None, description="Why it is suspended, in one word")
    received_at: datetime
    author: str | None = None
    subject: str | None = None
    mailbox: str | None = None
    ticket_id: str | None = None
    message_id: str | None = Field(None, description="Our message")
    verified: bool | None = Field(None, description="Whether a trusted server proved its sender; null = not said")
    handled_by: str | None = Field(None, description="Who released or deleted it")
    handled_at: datetime | None = None


class Taken(BaseModel):
    """A mail is safe."""

    id: int = Field(description="Number of the receipt")
    disposition: Disposition = Disposition.RECEIVED


class Ledger(BaseModel):
    """How many mails came in, by what became of them."""

    mails: int
    dispositions: dict[str, int]


class DifferenceAnswer(BaseModel):
    """Something that does not add up."""

    what: str
    count: int
    which: list[str] = Field(description="The first 20: receipts of mails, or messages")


class Reconciliation(Ledger):
    """The ledger, and all that does not add up; nothing if every mail is where it should be."""

    differences: list[DifferenceAnswer]


class Settled(BaseModel):
    """Whether every mail has its final disposition."""

    settled: bool


def mailing_of(request: Request) -> Mailing:
    """The mail half of this process."""
    return cast(Mailing, request.app.state.mailing)


MailHalf = Annotated[Mailing, Depends(mailing_of)]
ReceiptNumber = Annotated[int, Path(ge=1, le=2**63 - 1, description="Number of the receipt")]


@router.post(
    "/emails",
    status_code=202,
    response_model=MailAnswer | Taken,
    openapi_extra={"requestBody": {"content": {kind: {} for kind in MEDIA_TYPES}, "required": True}},
)
async def take_mail(
    request: Request,
    caller: AgentOrAbove,
    asked: AskedOnce,
    parts: Parts,
    mailing: MailHalf,
    recipient: Annotated[list[str] | None, Query(description="Envelope recipients", max_length=100)] = None,
    sender: Annotated[str | None, Query(description="Envelope sender; empty for the null path")] = None,
) -> Response:
    """A whole mail as bytes. 201 with its disposition when that is known at once, 202 when it is only safe yet."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in MEDIA_TYPES:
        raise UnsupportedMedia(f"the body must be {' or '.join(MEDIA_TYPES)}")
    mail = Incoming(await request.body(), "http", sender, tuple(recipient or ()))
    configuration: IntakeConfiguration = parts.configuration.current.parsed
    if len(mail.raw) > configuration.mail.max_mail:
        raise TooLarge(configuration.mail.max_mail)
    if not mail.raw.strip():
        raise Invalid("body", "is empty")
    if asked.key is None:
        return await settled_soon(parts, mailing, await _accept(parts, mailing, mail))
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            (id,) = await insert_received(transaction.connection, [mail], transaction.now)
            once.answer = Answer.of(202, Taken(id=id), location=f"/v1/mail/{id}")
    mailing.came.tell()
    return once.response()


@router.get("/mail/ledger")
async def ledger(caller: AgentOrAbove, parts: Parts) -> Ledger:
    """One disposition for each mail (behaviour E-1)."""
    async with parts.database.connection() as connection:
        counts = await Receipts(connection).counts()
    return Ledger(mails=sum(counts.values()), dispositions=counts)


@router.get("/mail/reconciliation")
async def reconciliation(caller: LeadOrAbove, parts: Parts) -> Reconciliation:
    """Compare raw mails, receipts, messages and tickets. It reads them all: ask seldom."""
    async with parts.database.connection() as connection:
        counts = await Receipts(connection).counts()
        found = await differences(connection, parts.clock.now())
    answers = [DifferenceAnswer(what=each.what, count=each.count, which=list(each.which)) for each in found]
    return Reconciliation(mails=sum(counts.values()), dispositions=counts, differences=answers)


@router.get("/mail/settled")
async def settled(
    caller: AgentOrAbove,
    parts: Parts,
    mailing: MailHalf,
    wait: Annotated[float, Query(ge=0, le=600, description="Seconds to wait at most")] = 0,
) -> Settled:
    """Answers as soon as every mail has its final disposition, or when the time is over."""
    deadline = asyncio.get_running_loop().time() + wait
    while True:
        told = mailing.settled.told
        if not await _is_waiting(parts):
            return Settled(settled=True)
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0:
            return Settled(settled=False)
        # another process may settle the last one: look again now and then
        await mailing.settled.wait(told, min(left, GLANCE_SECONDS))


@router.get("/mail/{receipt}")
async def mail(receipt: ReceiptNumber, caller: AgentOrAbove, parts: Parts) -> MailAnswer:
    """What became of one mail."""
    async with parts.database.connection() as connection:
        return await receipt_of(connection, receipt)


async def _accept(parts: Resources, mailing: Mailing, mail: Incoming) -> int:
    try:
        return await mailing.acceptance.accept(parts, mail)
    except NotStored as reason:
        raise NotReady(f"the mail cannot be stored at the moment: {reason}") from None


async def settled_soon(parts: Resources, mailing: Mailing, receipt: int, settled: int = 201) -> Response:
    """Wait for the disposition, but not for long: with it the status is `settled`, else 202."""
    deadline = asyncio.get_running_loop().time() + QUICK_SECONDS
    while True:
        told = mailing.settled.told
        async with parts.database.connection() as connection:
            found = await receipt_of(connection, receipt)
        if found.disposition is not Disposition.RECEIVED or asyncio.get_running_loop().time() > deadline:
            break
        await mailing.settled.wait(told, GLANCE_SECONDS)
    status = 202 if found.disposition is Disposition.RECEIVED else settled
    headers = {"Location": f"/v1/mail/{receipt}"}
    return Response(found.model_dump_json(), status, headers, media_type="application/json")


async def receipt_of(connection: Connection, receipt: int) -> MailAnswer:
    """One receipt. NotFound (404)."""
    row = await connection.fetchrow(ONE, receipt)
    if row is None:
        raise NotFound(f"there is no mail {receipt}")
    return MailAnswer(**row)


async def _is_waiting(parts: Resources) -> bool:
    async with parts.database.connection() as connection:
        return await Receipts(connection).is_any_waiting()
