"""Has all of a conversation arrived? For its source, which knows what it said (behaviour C-2)."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from libs.chassis.errors import NotFound
from libs.chassis.transaction import Connection
from libs.contracts.transcript import TranscriptHash
from services.intake.api.asking import AgentOrAbove, Parts
from services.intake.api.conversations import THERE, Source

router = APIRouter(prefix="/v1", tags=["conversations"])

AT_ONCE = 200
LAST = 2**63 - 1
MESSAGES = """
SELECT m.seq, m.kind, m.text, t.id IS NOT NULL AS erased
FROM messages m JOIN conversations c ON c.source = m.source AND c.conversation_id = m.conversation_id
LEFT JOIN tickets t ON t.id = coalesce(m.ticket_id, c.ticket_id) AND t.removed = 'erased'
WHERE m.source = $1 AND m.conversation_id = $2 AND m.seq > $3 AND m.seq <= $4
ORDER BY m.seq LIMIT $5
"""

Seq = Annotated[int, Query(ge=0, le=LAST)]


class TranscriptAnswer(BaseModel):
    """What is stored of a conversation, or of a part of it."""

    source: str
    conversation_id: str
    messages: int = Field(description="How many there are")
    first: int | None = Field(description="The lowest seq of them; null if there is none")
    last: int | None = Field(description="The highest seq of them")
    sha256: str | None = Field(
        description="Of each message in order of seq `<seq> <role> <bytes of the text>`, a line break, the text, a "
        "line break, in UTF-8; the text as first said, without NUL. Null where contents were erased"
    )
    erased: bool = Field(description="Whether the contents of some were erased")


@router.get("/conversations/{source}/{conversation_id}/transcript")
async def transcript(
    source: Source,
    conversation_id: str,
    caller: AgentOrAbove,
    parts: Parts,
    start: Annotated[Seq, Query(alias="from", description="From this seq on")] = 0,
    until: Annotated[Seq, Query(description="Up to this seq, itself included")] = LAST,
) -> TranscriptAnswer:
    """The hash of what is stored of a conversation, to be compared with that of what was said.

    What is stored never changes, so the hash up to a seq stays once everything up to there has arrived; by the hashes
    of parts a source finds what has not. Edits count in no hash, but for one that came in place of its message. 404
    when nothing was heard of the conversation.
    """
    async with parts.database.connection() as connection:
        if not await connection.fetchval(THERE, source, conversation_id):
            raise NotFound(f"source {source} has said nothing about a conversation {conversation_id!r}")
        found = TranscriptAnswer(
            source=source, conversation_id=conversation_id, messages=0, first=None, last=None, sha256=None, erased=False
        )
        return await _hashed(connection, found, start - 1, until)


async def _hashed(connection: Connection, found: TranscriptAnswer, after: int, until: int) -> TranscriptAnswer:
    """The messages are read some at a time, for they may be many and long."""
    hashed = TranscriptHash()
    while True:
        rows = await connection.fetch(MESSAGES, found.source, found.conversation_id, after, until, AT_ONCE)
        for row in rows:
            hashed.add(row["seq"], row["kind"], row["text"])
            found.erased = found.erased or row["erased"]
        found.messages += len(rows)
        if rows:
            found.first, found.last = rows[0]["seq"] if found.first is None else found.first, rows[-1]["seq"]
            after = rows[-1]["seq"]
        if len(rows) < AT_ONCE:
            break
    found.sha256 = None if found.erased else hashed.hex()
    return found
