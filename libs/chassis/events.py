"""The append-only table `events`: outbox, audit trail and the source of repair and rebuild (decisions 3)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from libs.chassis.errors import Invalid
from libs.chassis.transaction import Connection, Outgoing
from libs.contracts.event import Speaker, nats_subject_of
from libs.contracts.fact import write_headers
from libs.contracts.ticket_state import encode_state

COLUMNS = (
    "e.xid, e.id, e.said_at, e.subject, e.n, e.type, e.occurred_at, e.actor, e.cause, e.config_version, e.trace, "
    "e.data, e.ticket"
)
WAITING = f"""
SELECT {COLUMNS} FROM outbox o JOIN events e ON e.xid = o.xid
WHERE o.xid = ANY($1::text[]::xid8[]) ORDER BY o.said_at, e.xid, e.id
"""
AFTER = f"""
SELECT {COLUMNS} FROM events e
WHERE (e.xid, e.id) > ($1::text::xid8, $2) AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY e.xid, e.id LIMIT {{limit}}
"""
"""A limit that is a parameter is guessed as a tenth of all: then the log would be sorted instead of read along."""
PAIRS = """
SELECT xid, id, subject, n, said_at FROM events
WHERE (xid, id) > ($1::text::xid8, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, id LIMIT {limit}
"""
OF_SUBJECT = f"SELECT {COLUMNS} FROM events e WHERE e.subject = $1 AND e.n > $2 ORDER BY e.n LIMIT $3"


@dataclass(frozen=True, slots=True)
class StoredFact:
    """A row of `events`. said_at: real time, UTC. data: JSON without personal fields."""

    xid: int
    id: int
    said_at: datetime
    subject: str
    n: int
    type: str
    occurred_at: datetime
    actor: str | None
    cause: str | None
    config_version: int
    trace: str | None
    data: str
    ticket: str | None


Join = Callable[[Connection, Sequence[StoredFact]], Awaitable[Mapping[int, bytes]]]
"""A service's hook: the complete data, by event id, of those facts that have personal fields."""


async def nothing_to_join(connection: Connection, facts: Sequence[StoredFact]) -> Mapping[int, bytes]:
    """For services whose facts are stored whole."""
    return {}


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the log, `xid.id`: by transaction first, because ids alone can become visible out of order."""

    xid: int
    id: int

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Invalid for anything that is not two numbers with a dot between."""
        xid, _, number = text.partition(".")
        if not (xid.isdigit() and number.isdigit()):
            raise Invalid("after", f"{text!r} is not a cursor of this endpoint")
        return cls(int(xid), int(number))

    def __str__(self) -> str:
        return f"{self.xid}.{self.id}"


START = Cursor(0, 0)


class EventLog:
    """Reads the log of one service, in the form it was said."""

    def __init__(self, speaker: Speaker, join: Join) -> None:
        self.speaker, self._join = speaker, join

    async def waiting(self, connection: Connection, xids: Sequence[int]) -> list[Outgoing]:
        """Facts of these transactions, if they are in `outbox`, as they have to be published, in order."""
        rows = await connection.fetch(WAITING, [str(xid) for xid in xids])
        return await self._outgoing(connection, [_stored(row) for row in rows])

    async def after(self, connection: Connection, cursor: Cursor, limit: int) -> list[StoredFact]:
        """Facts after the cursor, oldest first, of transactions that everybody can see by now."""
        return [_stored(row) for row in await connection.fetch(AFTER.format(limit=limit), str(cursor.xid), cursor.id)]

    async def pairs(
        self, connection: Connection, cursor: Cursor, limit: int, said_before: datetime
    ) -> tuple[list[tuple[str, int]], Cursor]:
        """(subject, n) of facts after the cursor up to the first one that is too young, and where these end: a cursor
        must not pass one over."""
        pairs = []
        for row in await connection.fetch(PAIRS.format(limit=limit), str(cursor.xid), cursor.id):
            if row["said_at"] > said_before:
                break
            pairs.append((row["subject"], row["n"]))
            cursor = Cursor(row["xid"], row["id"])
        return pairs, cursor

    async def of_subject(self, connection: Connection, subject: str, after_n: int, limit: int) -> list[StoredFact]:
        """Facts about one subject after number `after_n`."""
        return [_stored(row) for row in await connection.fetch(OF_SUBJECT, subject, after_n, limit)]

    async def complete(self, connection: Connection, facts: Sequence[StoredFact]) -> list[dict[str, Any]]:
        """The facts as JSON documents that a hearer can apply: what went over the wire, as text."""
        return [
            {"nats_subject": said.nats_subject, "headers": said.headers.decode(), "data": said.payload.decode()}
            for said in await self._outgoing(connection, facts)
        ]

    async def _outgoing(self, connection: Connection, facts: Sequence[StoredFact]) -> list[Outgoing]:
        joined = await self._join(connection, facts)
        return [self._said(fact, joined.get(fact.id) or fact.data.encode()) for fact in facts]

    def _said(self, fact: StoredFact, payload: bytes) -> Outgoing:
        headers = write_headers(
            speaker=self.speaker,
            type=fact.type,
            subject=fact.subject,
            n=fact.n,
            occurred_at=fact.occurred_at,
            actor=fact.actor,
            cause=fact.cause,
            config_version=fact.config_version,
            trace=fact.trace,
            state=None if fact.ticket is None else encode_state(fact.ticket.encode()),
        )
        return Outgoing(fact.xid, fact.id, nats_subject_of(self.speaker, fact.type, fact.subject), headers, payload)


def _stored(row: asyncpg.Record) -> StoredFact:
    return StoredFact(**row)
