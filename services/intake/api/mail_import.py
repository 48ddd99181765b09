"""Mails by the hundred: what another system kept comes in faster than by SMTP, and is as safe."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from libs.chassis.errors import Invalid, UnsupportedMedia
from libs.chassis.idempotency import Answer, idempotent
from services.intake.acceptance import Incoming, insert_received
from services.intake.api.asking import AskedOnce, LeadOrAbove, Parts
from services.intake.api.mail import MailHalf
from services.intake.mail_file import MailPolicy
from services.intake.mail_frames import MEDIA_TYPE, Misframed, unframed

router = APIRouter(prefix="/v1/mail", tags=["mail"])

MOST = 1000


class LeftOut(BaseModel):
    """A mail that was not taken in."""

    place: int = Field(description="Which of those that were sent, from 0")
    reason: str


class Imported(BaseModel):
    """Mails that are safe; each has a receipt and gets its disposition soon."""

    mails: int
    receipts: list[int] = Field(description="Numbers of the receipts, in the order of the mails")
    left_out: list[LeftOut]


@router.post(
    "/import",
    status_code=201,
    response_model=Imported,
    openapi_extra={"requestBody": {"content": {MEDIA_TYPE: {}}, "required": True}},
)
async def import_mails(
    request: Request,
    caller: LeadOrAbove,
    asked: AskedOnce,
    parts: Parts,
    mailing: MailHalf,
    recipient: Annotated[str | None, Query(description="Mailbox they were sent to", max_length=320)] = None,
) -> Response:
    """Up to 1,000 mails and 64 MB in one transaction, each with its length in four bytes in front. 201 follows the
    commit. Mails that were here before, by whatever way, become duplicates: an import may be sent again.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise UnsupportedMedia(f"the body must be {MEDIA_TYPE}")
    policy: MailPolicy = parts.configuration.current.parsed.mail
    try:
        mails = list(unframed(await request.body()))
    except Misframed as wrong:
        raise Invalid("body", str(wrong)) from None
    if not 1 <= len(mails) <= MOST:
        raise Invalid("body", f"{len(mails)} mails; 1 to {MOST} are allowed")
    faults = {place: fault for place, raw in enumerate(mails) if (fault := _fault(raw, policy))}
    recipients = () if recipient is None else (recipient,)
    sound = [Incoming(raw, "import", None, recipients) for place, raw in enumerate(mails) if place not in faults]
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            ids = await insert_received(transaction.connection, sound, transaction.now) if sound else []
            left_out = [LeftOut(place=place, reason=reason) for place, reason in faults.items()]
            once.answer = Answer.of(201, Imported(mails=len(ids), receipts=ids, left_out=left_out))
    mailing.came.tell()
    return once.response()


def _fault(raw: bytes, policy: MailPolicy) -> str | None:
    if len(raw) > policy.max_mail:
        return f"larger than {policy.max_mail} bytes"
    return None if raw.strip() else "empty"
