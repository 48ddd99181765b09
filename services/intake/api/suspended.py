"""Mails that wait for a person: look at them, let them go on, or forget them."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from libs.chassis.errors import Conflict, NotFound
from libs.chassis.idempotency import Answer, idempotent
from libs.chassis.pagination import DEFAULT_LIMIT, CursorParameter, Limit, Page, Position, decode, page_of
from libs.chassis.transaction import Connection
from services.intake.acceptance import storable
from services.intake.api.asking import AgentOrAbove, AskedOnce, LeadOrAbove, Parts, by
from services.intake.api.mail import COLUMNS, MailAnswer, MailHalf, ReceiptNumber, receipt_of, settled_soon
from services.intake.blobs import Blobs
from services.intake.inbound.outcome import Because
from services.intake.inbound.suspension import Suspension
from services.intake.mail.parse import parse

router = APIRouter(prefix="/v1/suspended-mail", tags=["mail"])

LONGEST_TEXT = 20_000
NEWEST = 2**63 - 1
SUSPENDED = f"""
SELECT {COLUMNS} FROM inbound_mail
WHERE disposition = 'suspended' AND id < $1 AND ($2::text IS NULL OR because = $2) ORDER BY id DESC LIMIT $3
"""
REFUSED = f"""
SELECT {COLUMNS} FROM inbound_mail
WHERE disposition = 'refused' AND id < $1 AND $2::text IS NULL ORDER BY id DESC LIMIT $3
"""
BLOB = "SELECT blob FROM inbound_mail WHERE id = $1 AND disposition IN ('suspended', 'refused')"


class SuspendedMail(MailAnswer):
    """A mail that waits, with what one has to see to decide on it."""

    recipients: list[str] = Field(description="Whom it is addressed to, at most 50")
    text: str = Field(description="Its text, at most 20,000 signs; nothing of it may be believed")
    attachments: list[str] = Field(description="Names of its files, at most 50")


class SuspendedPosition(Position):
    """Where a page of suspended mails ended."""

    id: int


@router.get("")
async def suspended(
    caller: AgentOrAbove,
    parts: Parts,
    because: Annotated[Because | None, Query(description="Only those with this reason")] = None,
    refused: Annotated[bool, Query(description="Follow-ups that were refused, instead")] = False,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorParameter = None,
) -> Page[MailAnswer]:
    """Mails that wait for a person, newest first, each with its reason."""
    below = NEWEST if cursor is None else decode(SuspendedPosition, cursor).id
    async with parts.database.connection() as connection:
        rows = await connection.fetch(REFUSED if refused else SUSPENDED, below, because, limit + 1)
    page, following = page_of(rows, limit, lambda row: SuspendedPosition(id=row["id"]))
    return Page(items=[MailAnswer(**row) for row in page], next=following)


@router.get("/{receipt}")
async def look(receipt: ReceiptNumber, caller: AgentOrAbove, parts: Parts) -> SuspendedMail:
    """One mail that waits, with its text."""
    async with parts.database.connection() as connection:
        found = await receipt_of(connection, receipt)
        blob = await connection.fetchval(BLOB, receipt)
        contents = await Blobs(connection).get([blob]) if blob else {}
    if blob not in contents:
        raise NotFound(f"mail {receipt} does not wait for a person")
    mail = parse(contents[blob])
    return SuspendedMail(
        **found.model_dump(),
        recipients=[storable(each.email) for each in (*mail.to, *mail.cc)[:50]],
        text=storable(mail.text[:LONGEST_TEXT]),
        attachments=[storable(each.filename) for each in mail.attachments[:50]],
    )


@router.post("/{receipt}/release", response_model=MailAnswer)
async def release(
    receipt: ReceiptNumber, caller: AgentOrAbove, asked: AskedOnce, parts: Parts, mailing: MailHalf
) -> Response:
    """Let a mail go on as if it had just come: it becomes a ticket or a message, once. 409 if it does not wait.

    Its sender's limit, the deny list and what made it suspicious count no more; 202 if it is not settled soon.
    """
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            suspension = Suspension(transaction.connection, by(caller).actor, transaction.now)
            if not await suspension.release(receipt):
                await _refuse(transaction.connection, receipt)
            going = await receipt_of(transaction.connection, receipt)
            once.answer = Answer.of(202, going, location=f"/v1/mail/{receipt}")
    mailing.came.tell()
    return await settled_soon(parts, mailing, receipt, 200) if asked.key is None else once.response()


@router.delete("/{receipt}", status_code=204)
async def delete(receipt: ReceiptNumber, caller: LeadOrAbove, parts: Parts) -> None:
    """Forget a mail and its copies: bytes, author and subject are gone. 409 if it does not wait."""
    async with parts.transactions.begin() as transaction:
        if not await Suspension(transaction.connection, by(caller).actor, transaction.now).delete(receipt):
            await _refuse(transaction.connection, receipt)


async def _refuse(connection: Connection, receipt: int) -> None:
    """NotFound (404) for a receipt that is not there, Conflict (409) for one that does not wait."""
    found = await receipt_of(connection, receipt)
    raise Conflict(f"mail {receipt} does not wait for a person: it is {found.disposition}")
