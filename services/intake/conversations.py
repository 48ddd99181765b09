"""Conversations in PostgreSQL: claimed, completed and read in one statement."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from operator import attrgetter

from pydantic_core import to_json

from libs.chassis.transaction import Connection
from libs.chassis.writes import columns
from services.intake.domain.conversation import Conversation, Roster
from services.intake.domain.message import Message
from services.intake.rows import MESSAGE_COLUMNS, message_of

Key = tuple[str, str]
"""Source and conversation id."""

COLUMNS = tuple(field.name for field in fields(Conversation))
KNOWN = COLUMNS[3:]
LINK = """
UPDATE conversations c SET ticket_id = x.ticket_id
FROM unnest($1::text[], $2::text[], $3::text[]) AS x(source, conversation_id, ticket_id)
WHERE c.source = x.source AND c.conversation_id = x.conversation_id
"""
MARK = """
UPDATE conversations c SET resolved_at = coalesce(x.resolved_at, c.resolved_at), score = coalesce(x.score, c.score),
    comment = coalesce(x.comment, c.comment)
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::smallint[], $5::text[])
    AS x(source, conversation_id, resolved_at, score, comment)
WHERE c.source = x.source AND c.conversation_id = x.conversation_id
"""
STORED = """
SELECT m.source, m.conversation_id, m.seq
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS x(source, conversation_id, seq)
JOIN messages m ON m.source = x.source AND m.conversation_id = x.conversation_id AND m.seq = x.seq
"""
INTENTS = """
SELECT t.source, t.conversation_id, t.intent, t.id
FROM unnest($1::text[], $2::text[]) AS x(source, conversation_id)
JOIN tickets t ON t.source = x.source AND t.conversation_id = x.conversation_id
WHERE t.intent IS NOT NULL
"""
TRANSCRIPT = f"""
SELECT {", ".join(f"m.{column}" for column in MESSAGE_COLUMNS)}
FROM unnest($1::text[], $2::text[]) AS x(source, conversation_id)
JOIN messages m ON m.source = x.source AND m.conversation_id = x.conversation_id
ORDER BY m.source, m.conversation_id, m.seq
"""
TAKE = """
UPDATE messages m SET ticket_id = x.ticket_id, n = 1
FROM unnest($1::text[], $2::text[], $3::text[]) AS x(source, conversation_id, ticket_id)
WHERE m.source = x.source AND m.conversation_id = x.conversation_id AND m.ticket_id IS NULL
"""
REVISE = """
UPDATE messages m SET revisions = coalesce(m.revisions, '[]'::jsonb) || x.revision
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::jsonb[]) AS x(source, conversation_id, seq, revision)
WHERE m.source = x.source AND m.conversation_id = x.conversation_id AND m.seq = x.seq
    AND NOT coalesce(m.revisions, '[]'::jsonb) @> jsonb_build_array(jsonb_build_object('id', x.revision->'id'))
"""
EXPIRED = """
WITH gone AS (
    DELETE FROM conversations WHERE ticket_id IS NULL AND updated_at <= $1 RETURNING source, conversation_id)
DELETE FROM messages USING gone
WHERE messages.source = gone.source AND messages.conversation_id = gone.conversation_id AND messages.ticket_id IS NULL
"""
ROSTER = """
SELECT (SELECT coalesce(array_agg(key), '{}') FROM agents WHERE active AND key = ANY($1::text[])) AS agents,
    (SELECT coalesce(array_agg(key), '{}') FROM queues WHERE active AND key = ANY($2::text[])) AS queues
"""


@dataclass(frozen=True, slots=True)
class Edit:
    """What a source made of a message afterwards; id: of its event, at: when, UTC."""

    source: str
    conversation_id: str
    seq: int
    id: str
    at: datetime
    text: str
    deleted: bool

    def revision(self) -> str:
        """As it is kept with the message."""
        return to_json({"id": self.id, "at": self.at, "text": self.text, "deleted": self.deleted}).decode()


@dataclass(frozen=True, slots=True)
class Mark:
    """What a source said about a conversation's end."""

    resolved_at: datetime | None = None
    score: int | None = None
    comment: str | None = None
    cause: str | None = None


class Conversations:
    """The conversations of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def claim(
        self, known: Sequence[Conversation], proposals: Mapping[Key, str], now: datetime
    ) -> dict[Key, tuple[Conversation, bool]]:
        """Make or complete these conversations and lock them, in order of their keys; with each, whether it is new.

        proposals: tickets to link; where one is linked already, that one comes back.
        """
        ordered = sorted(known, key=attrgetter("source", "conversation_id"))
        by_column = {name: list(map(attrgetter(name), ordered)) for name in COLUMNS}
        by_column["ticket_id"] = [proposals.get((each.source, each.conversation_id)) for each in ordered]
        told = {name: values for name, values in by_column.items() if values.count(None) < len(values)}
        rows = await self._connection.fetch(_claim_of(tuple(told)), now, *told.values())
        return {(row[0], row[1]): (Conversation(*tuple(row)[:-1]), row["fresh"]) for row in rows}

    async def link(self, tickets: Mapping[Key, str]) -> None:
        """Let these tickets take what is written from now on."""
        if tickets:
            await self._connection.execute(LINK, *columns(tickets), list(tickets.values()))

    async def mark(self, marks: Mapping[Key, Mark]) -> None:
        """Keep how conversations ended."""
        if marks:
            ends = [(mark.resolved_at, mark.score, mark.comment) for mark in marks.values()]
            await self._connection.execute(MARK, *columns(marks), *columns(ends))

    async def revise(self, edits: Sequence[Edit]) -> None:
        """Keep what became of stored messages, each edit once, in their order (behaviour C-2)."""
        for edit in edits:  # one statement changes a row once, and there are few
            place = ([edit.source], [edit.conversation_id], [edit.seq])
            await self._connection.execute(REVISE, *place, [edit.revision()])

    async def stored(self, wanted: Iterable[tuple[str, str, int]]) -> set[tuple[str, str, int]]:
        """Which of these (source, conversation, seq) are stored already (behaviour C-2)."""
        chosen = list(wanted)
        if not chosen:
            return set()
        rows = await self._connection.fetch(STORED, *columns(chosen))
        return {(row[0], row[1], row[2]) for row in rows}

    async def intents(self, keys: Collection[Key]) -> dict[tuple[str, str, str], str]:
        """The ticket of each (source, conversation, intent) that has one (behaviour C-1)."""
        rows = await self._connection.fetch(INTENTS, *columns(keys)) if keys else []
        return {(row[0], row[1], row[2]): row[3] for row in rows}

    async def transcripts(self, keys: Collection[Key]) -> dict[Key, list[Message]]:
        """What is stored of these conversations, in order of seq."""
        found: dict[Key, list[Message]] = {key: [] for key in keys}
        for row in await self._connection.fetch(TRANSCRIPT, *columns(keys)) if keys else []:
            found[row["source"], row["conversation_id"]].append(message_of(row))
        return found

    async def take(self, tickets: Mapping[Key, str]) -> None:
        """Give a conversation's stored messages, as far as no ticket has them, to a ticket that begins."""
        if tickets:
            await self._connection.execute(TAKE, *columns(tickets), list(tickets.values()))

    async def expire(self, before: datetime) -> None:
        """Delete conversations that no ticket came from and that were silent since `before` (decisions 5)."""
        await self._connection.execute(EXPIRED, before)

    async def roster(self, agents: Collection[str], queues: Collection[str]) -> Roster:
        """Which of these agents and queues may be given work."""
        if not agents and not queues:
            return Roster()
        row = await self._connection.fetchrow(ROSTER, list(agents), list(queues))
        assert row is not None
        return Roster(frozenset(row["agents"]), frozenset(row["queues"]))


@lru_cache(maxsize=256)
def _claim_of(told: tuple[str, ...]) -> str:
    """The statement for what is told; what is not stays as it was."""
    kept = "".join(f", {name} = coalesce(excluded.{name}, c.{name})" for name in told if name in KNOWN)
    return f"""
INSERT INTO conversations AS c ({", ".join(told)}, updated_at)
SELECT {", ".join(f"x.{column}" for column in told)}, $1
FROM unnest({", ".join(f"${place}::text[]" for place in range(2, len(told) + 2))}) AS x({", ".join(told)})
ON CONFLICT (source, conversation_id) DO UPDATE SET updated_at = excluded.updated_at,
    ticket_id = coalesce(c.ticket_id, excluded.ticket_id){kept}
RETURNING {", ".join(f"c.{column}" for column in COLUMNS)}, xmax = 0 AS fresh
"""
