"""The audit chain, recomputed and checked (behaviour J-2)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from libs.chassis.database import Database
from libs.chassis.errors import NotFound
from libs.chassis.pagination import CursorParameter, Limit, Page, Position, decode, page_of
from services.intake.api.asking import Admin, AgentOrAbove, Parts
from services.intake.domain.chain import GENESIS, Verdict, block_hash, verified
from services.intake.reading import ticket_id
from services.intake.seals import Seals

router = APIRouter(prefix="/v1", tags=["audit"])

PAGE, MOST = 500, 2000
Many = Annotated[int, Query(ge=1, le=MOST, description="Items a page")]


class TicketAudit(BaseModel):
    """What the check of one ticket's chain found."""

    ticket: str
    events: int = Field(description="Facts that intake has said about it")
    sealed: int = Field(description="Of these, the first so many are sealed; those of the last seconds are not yet")
    fault: str | None = Field(description="Null if every sealed event is as it was, none is missing, none moved")


class BlockAudit(BaseModel):
    """A block of seals. Write the hash of the last one down elsewhere: it stands for the whole journal before it."""

    id: int
    seals: int
    hash: str = Field(description="sha256 over all blocks so far, 64 hex digits")
    sealed_at: datetime
    fault: str | None


class Journal(BaseModel):
    """How far the journal is sealed."""

    blocks: int
    hash: str = Field(description="Of the last block; 64 zeros before the first")
    unsealed: int = Field(description="Events after the last block, 100,000 at most are counted")
    oldest_unsealed: datetime | None


class SubjectPosition(Position):
    """Where a page of tickets ended."""

    subject: str


class BlockPosition(Position):
    """Where a page of blocks ended."""

    id: int


@asynccontextmanager
async def one_view(database: Database) -> AsyncIterator[Seals]:
    """The journal as it is at one instant, whoever seals meanwhile."""
    async with (
        database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield Seals(connection)


@router.get("/tickets/{ticket}/audit")
async def audit_ticket(ticket: str, caller: AgentOrAbove, parts: Parts) -> TicketAudit:
    """Recompute the chain of one ticket over its stored events and compare it with what was sealed."""
    async with parts.database.connection() as connection:
        id = await ticket_id(connection, ticket)
    async with one_view(parts.database) as seals:
        (verdict,) = await _verdicts(seals, [id])
    if not verdict.events and not verdict.sealed:
        raise NotFound(f"there is no ticket {ticket}")
    return _audit(verdict)


@router.get("/audit")
async def audit_journal(caller: Admin, parts: Parts) -> Journal:
    """How far the journal is sealed, and the hash that stands for all of it."""
    async with one_view(parts.database) as seals:
        last = await seals.last_block()
        events, oldest = await seals.unsealed(last.end)
    return Journal(blocks=last.id, hash=last.hash.hex(), unsealed=events, oldest_unsealed=oldest)


@router.get("/audit/tickets")
async def audit_tickets(
    caller: Admin, parts: Parts, limit: Many = PAGE, cursor: CursorParameter = None
) -> Page[TicketAudit]:
    """The check of every ticket that has events or seals, by id; `signalbox tickets verify` walks it."""
    after = "" if cursor is None else decode(SubjectPosition, cursor).subject
    async with one_view(parts.database) as seals:
        known = await seals.subjects(after, limit + 1)
        page, following = page_of(known, limit, lambda subject: SubjectPosition(subject=subject))
        verdicts = await _verdicts(seals, page)
    return Page(items=[_audit(verdict) for verdict in verdicts], next=following)


@router.get("/audit/blocks")
async def audit_blocks(
    caller: Admin, parts: Parts, limit: Limit = 100, cursor: CursorParameter = None
) -> Page[BlockAudit]:
    """The check of every block: its seals and those before it are what they were when it was sealed."""
    first = 1 if cursor is None else decode(BlockPosition, cursor).id + 1
    async with one_view(parts.database) as seals:
        before = await seals.blocks(first - 1, 1) if first > 1 else []
        previous = before[0].hash if before else GENESIS
        found = await seals.blocks(first, limit + 1)
        blocks, following = page_of(found, limit, lambda block: BlockPosition(id=block.id))
        sealed = await seals.sealed_in(first, first + limit)
    items: list[BlockAudit] = []
    for place, block in enumerate(blocks, first):
        whole = block_hash(previous, str(block.end), sealed.get(block.id, []))
        fault = None if block.id == place else f"block {place} is missing"
        if fault is None and whole != block.hash:
            fault = "its seals are not what was sealed"
        previous = block.hash
        items.append(
            BlockAudit(id=block.id, seals=block.seals, hash=block.hash.hex(), sealed_at=block.sealed_at, fault=fault)
        )
    return Page(items=items, next=following)


async def _verdicts(seals: Seals, subjects: Sequence[str]) -> list[Verdict]:
    last = await seals.last_block()
    links = await seals.links(dict.fromkeys(subjects, -1), last.end)
    sealed = await seals.of(subjects)
    return [verified(subject, links.get(subject, []), sealed.get(subject, [])) for subject in subjects]


def _audit(verdict: Verdict) -> TicketAudit:
    return TicketAudit(ticket=verdict.subject, events=verdict.events, sealed=verdict.sealed, fault=verdict.fault)
