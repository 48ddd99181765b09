"""`GET /v1/events`: the log of a service, for hearers that repair or rebuild (decisions 3 and 22)."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from libs.chassis.clock import real_now
from libs.chassis.events import START, Cursor, EventLog
from libs.chassis.tokens import Role, require

SETTLED = timedelta(seconds=20)
"""Pairs are served when they are older than this: by then the stream has brought them, or will not."""

router = APIRouter(tags=["events"], dependencies=[Depends(require(Role.SYSTEM))])


class Said(BaseModel):
    """A fact as it went over the wire."""

    nats_subject: str
    headers: str = Field(description="The NATS header block")
    data: str = Field(description="JSON")


class Pair(BaseModel):
    """What identifies a fact of this speaker."""

    subject: str
    n: int


class Log(BaseModel):
    """A page of the log; pairs if these were asked for."""

    items: list[Said | Pair]
    next: str | None


@router.get("/v1/events", summary="The facts this service said", response_model=Log)
async def events(
    request: Request,
    after: Annotated[
        str, Query(description="Cursor of the page before; start without one", pattern=r"^[0-9]{1,18}\.[0-9]{1,18}$")
    ] = str(START),
    subject: Annotated[
        str | None, Query(description="Only facts about this subject, in order of n", max_length=300)
    ] = None,
    after_n: Annotated[int, Query(ge=0, lt=2**63, description="With subject: only numbers above this")] = 0,
    pairs: Annotated[bool, Query(description="Only subject and n, of facts older than 20 s")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> JSONResponse:
    """Facts in log order; `next` is null on the last page. 422 for a cursor of another place."""
    log: EventLog = request.app.state.event_log
    async with request.app.state.database.connection() as connection:
        if subject is not None:
            facts = await log.of_subject(connection, subject, after_n, limit)
            return _page(await log.complete(connection, facts), None)
        begin = Cursor.parse(after)
        if pairs:
            found, end = await log.pairs(connection, begin, limit, real_now() - SETTLED)
            return _page([{"subject": subject, "n": n} for subject, n in found], str(end) if found else None)
        facts = await log.after(connection, begin, limit)
        more = str(Cursor(facts[-1].xid, facts[-1].id)) if len(facts) == limit else None
        return _page(await log.complete(connection, facts), more)


def _page(items: list[dict[str, Any]], following: str | None) -> JSONResponse:
    # a rebuild walks millions of these: nothing is validated on its way out
    return JSONResponse({"items": items, "next": following})
