"""Facts become rows of `events`: numbered, stored and put down as unpublished, in one statement."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from libs.chassis.writes import Connection, Write, fetch_together
from libs.contracts.event import Event
from libs.contracts.fact import encode_time, write_headers
from libs.contracts.ticket_state import encode_state


@dataclass(slots=True)
class Saying:
    """A fact on its way into `events`. `n` is None until the chassis has numbered it."""

    event: Event
    subject: str
    n: int | None
    occurred_at: datetime
    actor: str | None
    cause: str | None
    trace: str | None
    state: bytes | None
    wire: bytes = b""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A stored fact in the form the relay publishes. xid: the transaction that said it."""

    xid: int
    event_id: int
    nats_subject: str
    headers: bytes
    payload: bytes


# everything travels as text: asyncpg looks at each None, number and instant of an array twice, at a text once
_SAID = """said AS (
    INSERT INTO events (subject, n, type, occurred_at, actor, cause, config_version, trace, data, ticket)
    SELECT subject, {n}, type, occurred_at::timestamptz, nullif(actor, ''), nullif(cause, ''), $1,
           nullif(trace, ''), data::json, nullif(ticket, '')::json
    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                $10::text[])
         WITH ORDINALITY AS x(subject, n, type, occurred_at, actor, cause, trace, data, ticket, place) {numbers}
    ORDER BY place
    RETURNING id, subject, n, xid),
waits AS (INSERT INTO outbox (facts) SELECT count(*) FROM said)
SELECT id, subject, n, xid FROM said
"""
SAY = "WITH " + _SAID.format(n="n::bigint", numbers="")
NUMBER_AND_SAY = """WITH numbered AS (
    INSERT INTO spoken AS s (subject, n)
    SELECT subject, n FROM unnest($11::text[], $12::bigint[]) AS x(subject, n)
    ON CONFLICT (subject) DO UPDATE SET n = s.n + excluded.n
    RETURNING subject, s.n AS last),
""" + _SAID.format(n="last - n::bigint", numbers="JOIN numbered USING (subject)")
"""The same where the chassis counts: `n` is how many of the transaction's facts about the subject come after it."""


async def store(
    connection: Connection, writes: Sequence[Write], said: Sequence[Saying], config_version: int
) -> list[Outgoing]:
    """Store facts, all numbered by their speaker or none, together with `writes`; in the order they were said."""
    if said[0].n is not None:
        rows = await fetch_together(connection, writes, Write(SAY, _arguments(said, config_version)))
    else:
        after = _after(said)
        rows = await fetch_together(connection, writes, _numbering(said, after, config_version))
        last = dict(sorted((row["subject"], row["n"]) for row in rows))
        for s, behind in zip(said, after, strict=True):
            s.n = last[s.subject] - behind
    stored = {(row["subject"], row["n"]): row for row in rows}
    return [_outgoing(s, stored[s.subject, s.n], config_version) for s in said]


def _after(said: Sequence[Saying]) -> list[int]:
    """How many facts about the same subject come after each."""
    counts: dict[str, int] = {}
    after = []
    for s in reversed(said):
        after.append(counts.get(s.subject, 0))
        counts[s.subject] = after[-1] + 1
    return after[::-1]


def _numbering(said: Sequence[Saying], after: Sequence[int], config_version: int) -> Write:
    counts = sorted(Counter(s.subject for s in said).items())
    numbers = [subject for subject, _ in counts], [count for _, count in counts]
    return Write(NUMBER_AND_SAY, [*_arguments(said, config_version, after), *numbers])


def _arguments(said: Sequence[Saying], config_version: int, after: Sequence[int] | None = None) -> list[object]:
    return [
        config_version,
        [s.subject for s in said],
        [str(s.n) for s in said] if after is None else [str(n) for n in after],
        [s.event.TYPE for s in said],
        [encode_time(s.occurred_at) for s in said],
        [s.actor or "" for s in said],
        [s.cause or "" for s in said],
        [s.trace or "" for s in said],
        [_stored(s).decode() for s in said],
        ["" if s.state is None else s.state.decode() for s in said],
    ]


def _stored(s: Saying) -> bytes:
    """The data for the table; where nothing is personal it is what travels, and is written once."""
    s.wire = s.event.wire_json()
    return s.event.stored_json() if s.event.PERSONAL else s.wire


def _outgoing(s: Saying, row: asyncpg.Record, config_version: int) -> Outgoing:
    assert s.n is not None
    headers = write_headers(
        speaker=s.event.SPEAKER,
        type=s.event.TYPE,
        subject=s.subject,
        n=s.n,
        occurred_at=s.occurred_at,
        actor=s.actor,
        cause=s.cause,
        config_version=config_version,
        trace=s.trace,
        state=None if s.state is None else encode_state(s.state),
    )
    return Outgoing(row["xid"], row["id"], s.event.nats_subject(s.subject), headers, s.wire)
