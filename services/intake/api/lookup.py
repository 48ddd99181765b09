"""Has a conversation become a ticket? For whoever sent it and wants to know."""

import asyncio
from time import monotonic
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from libs.chassis.errors import NotFound
from services.intake.api.asking import AgentOrAbove, Parts
from services.intake.api.conversations import Source

router = APIRouter(prefix="/v1", tags=["conversations"])

LOOK_SECONDS = 0.05
FIND = "SELECT ticket_id FROM conversations WHERE source = $1 AND conversation_id = $2"


class ConversationAnswer(BaseModel):
    """A conversation that was heard of."""

    source: str
    conversation_id: str
    ticket: str | None = Field(description="Id of the ticket that takes its messages now; null while there is none")


@router.get("/conversations/{source}/{conversation_id}", response_model=ConversationAnswer)
async def conversation(
    source: Source,
    conversation_id: str,
    caller: AgentOrAbove,
    parts: Parts,
    wait: Annotated[float, Query(ge=0, le=60, description="Seconds to wait for it to have a ticket")] = 0,
) -> ConversationAnswer:
    """The ticket of a conversation. 404 when nothing was heard of it; with `wait`, answered as soon as there is one."""
    deadline = monotonic() + wait
    while True:
        async with parts.database.connection() as connection:
            row = await connection.fetchrow(FIND, source, conversation_id)
        if (row is not None and row["ticket_id"] is not None) or monotonic() >= deadline:
            break
        await asyncio.sleep(LOOK_SECONDS)
    if row is None:
        raise NotFound(f"source {source} has said nothing about a conversation {conversation_id!r}")
    return ConversationAnswer(source=source, conversation_id=conversation_id, ticket=row["ticket_id"])
