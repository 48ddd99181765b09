"""What was said to whom, and how a template reads."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from libs.chassis.errors import Invalid
from libs.chassis.pagination import DEFAULT_LIMIT, CursorParameter, Limit, Page, Position, decode, page_of
from libs.chassis.resources import Resources
from libs.chassis.tokens import Caller, Role, require
from libs.contracts.notice import NoticeKind
from services.notifier.configuration import NotifierConfiguration
from services.notifier.domain.notice import State, Verdict, Way
from services.notifier.templates import SAMPLES, TemplateFault

router = APIRouter(prefix="/v1", tags=["notices"])

Reader = Annotated[Caller, Depends(require(Role.AGENT, Role.SYSTEM))]

NOTICES = """
SELECT id, ticket, kind, way, state, verdict, reason, recipient, subject, text, message_id, source_message, cause,
       automatic, attempts, created_at, next_try, settled_at
FROM notices WHERE {named} AND (created_at, id) > ($3, $4) ORDER BY created_at, id LIMIT $5
"""
OF_TICKET = NOTICES.format(named="(ticket = $1 OR copy_for = $1) AND $2::text IS NULL")
OF_CONVERSATION = NOTICES.format(named="way = 'chat' AND recipient = $1 AND $2::text IS NULL")
EVERYTHING = datetime.fromisoformat("0001-01-02T00:00:00+00:00")


class NoticeItem(BaseModel):
    """One notice. Instants are UTC; message_id is without angle brackets."""

    id: str
    ticket: str
    kind: NoticeKind
    way: Way = Field(description="mail, or chat: to be shown by the conversation's source")
    state: State
    verdict: Verdict | None = Field(description="Why it did not leave")
    reason: str | None = Field(description="Why it did not leave, or why the last attempt that failed did so")
    recipient: str = Field(description="Address, or source/conversation")
    subject: str
    text: str
    message_id: str | None
    source_message: str | None = Field(description="The ticket's message it carries, for replies")
    cause: str = Field(description="Id of the fact that caused it")
    automatic: bool
    attempts: int
    created_at: datetime
    next_try: datetime | None
    settled_at: datetime | None


class NoticePosition(Position):
    """Oldest first."""

    created_at: datetime
    id: str


class Preview(BaseModel):
    """A template with sample values."""

    name: str
    language: str = Field(description="The language it was found in")
    subject: str
    text: str


@router.get("/notices")
async def list_notices(
    request: Request,
    _: Reader,
    ticket: Annotated[str | None, Query(max_length=64, description="Ticket id")] = None,
    conversation: Annotated[str | None, Query(max_length=300, description="source/id: for its chat")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorParameter = None,
) -> Page[NoticeItem]:
    """What was said about one ticket, or to its requester after it was merged, or in one conversation, oldest first."""
    query, *named = _named(ticket, conversation)
    at = decode(NoticePosition, cursor) if cursor else NoticePosition(created_at=EVERYTHING, id="")
    resources: Resources = request.app.state.resources
    async with resources.database.connection() as connection:
        rows = await connection.fetch(query, *named, at.created_at, at.id, limit + 1)
    items: Sequence[NoticeItem] = [NoticeItem.model_validate(dict(row)) for row in rows]
    page, following = page_of(items, limit, lambda item: NoticePosition(created_at=item.created_at, id=item.id))
    return Page(items=page, next=following)


@router.get("/templates/preview")
async def preview_template(
    request: Request,
    _: Reader,
    name: Annotated[str, Query(description="e.g. acknowledgment.after_hours")],
    language: Annotated[str | None, Query(max_length=35, description="e.g. de")] = None,
) -> Preview:
    """How a template in force reads, with sample values."""
    if name not in SAMPLES:
        raise Invalid("name", f"{name!r} is none of {', '.join(SAMPLES)}")
    resources: Resources = request.app.state.resources
    config: NotifierConfiguration = resources.configuration.current.parsed
    try:
        rendered = config.templates.preview(name, language, {"brand": config.mail.brand})
    except TemplateFault as fault:
        raise Invalid("name", str(fault)) from None
    found = config.templates.language(name, language)
    return Preview(name=name, language=found, subject=rendered.subject, text=rendered.text)


def _named(ticket: str | None, conversation: str | None) -> tuple[Any, ...]:
    if (ticket is None) == (conversation is None):
        raise Invalid("ticket", "give either a ticket or a conversation")
    if ticket is not None:
        return OF_TICKET, ticket, None
    if "/" not in (conversation or ""):
        raise Invalid("conversation", "is not source/id")
    return OF_CONVERSATION, conversation, None
