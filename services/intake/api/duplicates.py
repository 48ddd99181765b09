"""Look before creating, and what a ticket may be a duplicate of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from libs.chassis.errors import Invalid, NotFound
from libs.chassis.pagination import Limit, Page
from libs.chassis.tokens import Caller
from libs.chassis.transaction import Transaction
from services.intake.api.asking import AgentOrAbove, Parts
from services.intake.domain.duplicates import Kind
from services.intake.domain.rights import unseen_by
from services.intake.domain.similarity import LONGEST
from services.intake.domain.status import Statuses
from services.intake.listing import SETTINGS
from services.intake.reading import ticket_id
from services.intake.suspects import Suspect, Suspects, Wanted

router = APIRouter(prefix="/v1", tags=["merging"])

SHOWN = 10


class EvidenceAnswer(BaseModel):
    """One thing that speaks for it."""

    kind: Kind
    weight: float = Field(ge=0, le=1)
    detail: str = Field(description="What exactly, for people")


class SuspectAnswer(BaseModel):
    """A ticket that may be about the same."""

    ticket: str
    reference: str
    subject: str
    status: str
    status_category: str
    priority: str | None
    assignee: str | None
    queue: str | None
    channel: str
    customer_id: str | None
    customer_name: str | None
    customer_email: str | None
    created_at: datetime
    updated_at: datetime
    score: float = Field(ge=0, le=1, description="1 - the product of what each piece of evidence leaves open")
    evidence: list[EvidenceAnswer]


@router.get("/duplicates")
async def look_before_creating(
    caller: AgentOrAbove,
    parts: Parts,
    subject: Annotated[str, Query(max_length=1000)] = "",
    email: Annotated[str | None, Query(min_length=3, max_length=254)] = None,
    name: Annotated[str | None, Query(min_length=2, max_length=200)] = None,
    text: Annotated[str, Query(max_length=LONGEST, description="What the customer writes")] = "",
    limit: Limit = SHOWN,
) -> Page[SuspectAnswer]:
    """Tickets that are worked on, or were resolved in the last 72 hours, of the person with this email or name and of
    the colleagues, the likeliest first, each with its reasons. Never of anybody else (behaviour M-5).
    """
    if email is None and name is None:
        raise Invalid("query.email", "is needed, or a name: whose tickets are to be looked through")
    wanted = Wanted(subject, None if email is None else email.strip().lower(), name, text)
    async with parts.transactions.begin() as transaction:
        await transaction.connection.execute(SETTINGS)
        found = await _suspects(transaction, caller).before(wanted)
        return _page(found, limit, transaction.config.parsed.statuses)


@router.get("/tickets/{ticket}/duplicates")
async def suggest(ticket: str, caller: AgentOrAbove, parts: Parts, limit: Limit = SHOWN) -> Page[SuspectAnswer]:
    """Other tickets of the same person or organisation that may be about the same, each with its reasons (M-5)."""
    async with parts.transactions.begin() as transaction:
        await transaction.connection.execute(SETTINGS)
        found = await _suspects(transaction, caller).of(await ticket_id(transaction.connection, ticket))
        if found is None:
            raise NotFound(f"there is no ticket {ticket}")
        return _page(found, limit, transaction.config.parsed.statuses)


def _suspects(transaction: Transaction, caller: Caller) -> Suspects:
    config = transaction.config.parsed
    unseen = unseen_by(caller.role, config.fields)
    return Suspects(transaction.connection, config.organisations, transaction.now, unseen)


def _page(found: Sequence[Suspect], limit: int, statuses: Statuses) -> Page[SuspectAnswer]:
    return Page(items=[_answer(suspect, statuses) for suspect in found[:limit]])


def _answer(suspect: Suspect, statuses: Statuses) -> SuspectAnswer:
    row, suspicion = suspect.ticket, suspect.suspicion
    names = SuspectAnswer.model_fields.keys() - {"ticket", "status", "score", "evidence"}
    return SuspectAnswer(
        ticket=suspicion.ticket_id,
        status=statuses.present(row["status"], row["status_category"]).key,
        score=suspicion.score,
        evidence=[EvidenceAnswer(kind=e.kind, weight=e.weight, detail=e.detail) for e in suspicion.evidence],
        **{name: row[name] for name in names},
    )
