"""Attachments: fetched by signed links or with a token, uploaded for answers (behaviour E-6)."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import Field
from pydantic_core import from_json

from libs.chassis.errors import Forbidden, Invalid, NotFound, TooLarge, UnsupportedMedia
from libs.chassis.idempotency import Answer, idempotent
from libs.chassis.tokens import Role, anyone, authenticated, bearer, require, scope_of
from libs.chassis.transaction import Connection
from libs.contracts.ticket import Attachment
from services.intake.acceptance import storable
from services.intake.api.asking import AgentOrAbove, AskedOnce, Parts, reads_inside
from services.intake.api.links import AttachmentLinks
from services.intake.blobs import Blobs, digest
from services.intake.mail.parts import TYPE, base_name
from services.intake.mail_file import MailPolicy
from services.intake.scanning import harm
from services.intake.uploads import KEPT, File, Uploads

router = APIRouter(prefix="/v1/attachments", tags=["attachments"])

READERS = require(Role.AGENT, Role.SYSTEM)
OF_MESSAGE = "SELECT attachments FROM messages WHERE id = $1 AND (visibility = 'public' OR $2)"
IMAGES = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}
"""What a browser may show within a text, with how it begins; everything else is bytes to be saved."""
NEVER_INLINE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, max-age=3600, immutable",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
}


class Uploaded(Attachment):
    """A file that waits for its answer. `id` is what the answer names."""

    expires_at: datetime = Field(description="When it is gone unless an answer has taken it")


async def may_read(
    request: Request,
    attachment: str,
    parts: Parts,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    expires: Annotated[int | None, Query(ge=0, lt=2**53, description="Of a signed link")] = None,
    signature: Annotated[str | None, Query(max_length=100, description="Of a signed link")] = None,
) -> bool:
    """A signed link, or a token of an agent or a system; whether it is good for what is not public too, which programs
    do not read. Forbidden (403) for a link that is over or not ours.
    """
    if expires is None or signature is None:
        caller = await authenticated(request, credentials)
        READERS.check(caller, scope_of(request.method, request.url.path))
        return reads_inside(caller)
    if not AttachmentLinks.of(parts).allow(attachment, expires, signature):
        raise Forbidden("this link is over; read the message again for a new one")
    return True


@router.get(
    "/{attachment}",
    dependencies=[Depends(anyone)],
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The bytes"}},
)
async def fetch(attachment: str, parts: Parts, inside: Annotated[bool, Depends(may_read)]) -> Response:
    """The bytes of an attachment, to be saved: never shown by themselves, whatever their sender says they are."""
    async with parts.database.connection() as connection:
        found = await _find(connection, attachment, inside)
        content = (await Blobs(connection).get([found.sha256])).get(found.sha256)
    if content is None:
        raise NotFound("this attachment was deleted")
    if (found_in := await harm(parts, found.sha256, content)) is not None:
        raise NotFound(f"this attachment is kept back: it holds {found_in}")
    name = found.name.encode("ascii", "replace").decode().translate({34: "_", 92: "_"})
    disposition = f"attachment; filename=\"{name}\"; filename*=UTF-8''{quote(found.name, safe='')}"
    headers = {**NEVER_INLINE, "Content-Disposition": disposition, "ETag": f'"{found.sha256}"'}
    return Response(content, 200, headers, media_type=_served_as(found.content_type, content))


@router.post(
    "",
    status_code=201,
    response_model=Uploaded,
    openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}, "required": True}},
)
async def upload(
    request: Request,
    caller: AgentOrAbove,
    asked: AskedOnce,
    parts: Parts,
    name: Annotated[str, Query(min_length=1, max_length=200, description="File name, without a path")],
) -> Response:
    """Upload a file for an answer: its bytes are the body. An answer names it by its id; else it is gone after a day.

    413 over the size that mail.yaml allows, 415 for a type that it refuses, 422 for what a virus scanner finds.
    """
    policy: MailPolicy = parts.configuration.current.parsed.mail
    file = File(_file_name(name), _declared(request), await request.body())
    if len(file.content) > policy.max_attachment:
        raise TooLarge(policy.max_attachment)
    if policy.refuses(file.name, file.content_type):
        raise UnsupportedMedia("files of this type are not taken")
    if (found_in := await harm(parts, digest(file.content), file.content)) is not None:
        raise Invalid("body", f"holds {found_in}")
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            attachment = await Uploads(transaction, caller.subject).add(file)
            uploaded = Uploaded(**attachment.model_dump(), expires_at=transaction.now + KEPT)
            once.answer = Answer.of(201, uploaded)
    return once.response()


async def _find(connection: Connection, id: str, inside: bool) -> Attachment:
    """The attachment of a message; its id is the message's and a number. inside: also of what is not public."""
    stored = await connection.fetchval(OF_MESSAGE, id.rpartition(".")[0], inside) if "\x00" not in id else None
    listed: list[dict[str, Any]] = from_json(stored) if stored else []
    found = next((each for each in listed if each["id"] == id), None)
    if found is None:
        raise NotFound(f"there is no attachment {id}")
    return Attachment(**found)


def _served_as(content_type: str, content: bytes) -> str:
    """The type only of images that are what they say; no text of a stranger is ever a page of ours."""
    kind = content_type.lower().partition(";")[0].strip()
    return kind if content.startswith(IMAGES.get(kind, ())) else "application/octet-stream"


def _file_name(given: str) -> str:
    name = base_name(storable(given))
    if not name:
        raise Invalid("query.name", "is no name of a file")
    return name


def _declared(request: Request) -> str:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind if TYPE.fullmatch(kind) and len(kind) <= 100 else "application/octet-stream"
