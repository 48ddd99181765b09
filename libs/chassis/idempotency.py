"""Idempotency-Key: a POST that is sent again gets the first answer again, and nothing is done twice.

The key is claimed and the answer is stored in the transaction of the work, so that they stand or fall together. A
refused request stores nothing: it may be corrected and sent again under the same key.
"""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel

from libs.chassis.errors import InFlight, Invalid, KeyReused, Unanswered
from libs.chassis.tokens import Caller, authenticated

if TYPE_CHECKING:
    from asyncpg import Connection, Record
    from asyncpg.pool import PoolConnectionProxy

    AnyConnection = Connection[Record] | PoolConnectionProxy[Record]

KEPT = timedelta(hours=24)
HEADER = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")

# the lock is the database's, the key is the schema's
CLAIM = (
    "SELECT pg_try_advisory_xact_lock(hashtextextended(concat_ws(chr(31), current_schema(), $1::text, $2::text), 0))"
)
FIRST = """
SELECT request_hash, status, response, headers FROM idempotency
WHERE caller = $1 AND key = $2 AND created_at > clock_timestamp() - $3::interval
"""
KEEP = """
INSERT INTO idempotency (caller, key, request_hash, status, response, headers, created_at)
VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, clock_timestamp())
ON CONFLICT (caller, key) DO UPDATE SET request_hash = excluded.request_hash, status = excluded.status,
    response = excluded.response, headers = excluded.headers, created_at = excluded.created_at
"""
PURGE = "DELETE FROM idempotency WHERE created_at <= clock_timestamp() - $1::interval"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response that can be given again: status, JSON body and headers such as Location and ETag."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: int, content: BaseModel, **headers: str) -> "Answer":
        """A model as JSON. Header names are given with underscores: `etag='"3"'`, `retry_after="5"`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, content.model_dump_json().encode(), named)

    def response(self) -> Response:
        """As the framework sends it."""
        kind = "application/json" if self.body else None
        return Response(self.body, self.status, dict(self.headers), media_type=kind)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, by whom. Without a key nothing is kept, and the work is done each time."""

    caller: str
    key: str | None
    request_hash: str


async def asked(
    request: Request,
    caller: Annotated[Caller, Depends(authenticated)],
    key: Annotated[str | None, Header(alias=HEADER, description="Any text of your own; kept for 24 hours")] = None,
) -> Asked:
    """A dependency of POST routes. Invalid (422) if the key is not 1 to 255 visible ASCII characters."""
    return await asked_by(request, caller.subject, key)


async def asked_by(request: Request, caller: str, key: str | None) -> Asked:
    """The same for somebody without a token, by a name that is theirs alone."""
    if key is not None and not _KEY.fullmatch(key):
        raise Invalid(f"header.{HEADER}", "must be 1 to 255 visible ASCII characters")
    head = f"{request.method} {request.url.path}?{request.url.query} {request.headers.get('content-type', '')}"
    return Asked(caller, key, sha256(head.encode() + b"\n" + await request.body()).hexdigest())


class Once:
    """One idempotent block: `answer` is the first answer if there was one; otherwise do the work and set it."""

    def __init__(self, first: Answer | None = None) -> None:
        self.answer = first
        self.repeated = first is not None

    def response(self) -> Response:
        """The answer, marked with `Idempotent-Replayed: true` if the work was not done now."""
        if self.answer is None:
            raise Unanswered
        response = self.answer.response()
        if self.repeated:
            response.headers["Idempotent-Replayed"] = "true"
        return response


@asynccontextmanager
async def idempotent(connection: "AnyConnection", asked: Asked) -> AsyncIterator[Once]:
    """Run the block once for a key; `connection` must be inside the transaction of the work.

        async with connection.transaction(), idempotent(connection, asked) as once:
            if once.answer is None:
                once.answer = Answer.of(201, await open_ticket(...), location=...)
        return once.response()

    KeyReused (409) if the key belongs to another request of this caller, InFlight (409, Retry-After) while the first
    one runs. An exception leaves nothing behind; a block without an answer is Unanswered.
    """
    if asked.key is None:
        yield Once()
        return
    if not await connection.fetchval(CLAIM, asked.caller, asked.key):
        raise InFlight
    once = Once(await _first_answer(connection, asked, asked.key))
    yield once
    if not once.repeated:
        await _keep(connection, asked, asked.key, once.answer)


async def _first_answer(connection: "AnyConnection", asked: Asked, key: str) -> Answer | None:
    row = await connection.fetchrow(FIRST, asked.caller, key, KEPT)
    if row is None:
        return None
    if row["request_hash"] != asked.request_hash:
        raise KeyReused
    headers = row["headers"]
    return Answer(row["status"], row["response"], json.loads(headers) if isinstance(headers, str) else headers or {})


async def _keep(connection: "AnyConnection", asked: Asked, key: str, answer: Answer | None) -> None:
    if answer is None:
        raise Unanswered
    headers = json.dumps(dict(answer.headers))
    await connection.execute(KEEP, asked.caller, key, asked.request_hash, answer.status, answer.body, headers)


async def purge(connection: "AnyConnection") -> int:
    """Forget the answers older than 24 hours; how many there were. They may hold personal text: run it often."""
    done = await connection.execute(PURGE, KEPT)
    return int(done.rpartition(" ")[2])
