"""The HTTP API of reporting: reviews, single metrics, rebuilds."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from libs.chassis.asking import Admin, AskedOnce, Parts
from libs.chassis.errors import Invalid, NotFound
from libs.chassis.idempotency import Answer, idempotent
from libs.chassis.tokens import Role, require
from services.reporting.configuration import Limits
from services.reporting.domain.period import Grain, Period
from services.reporting.queries import snapshot
from services.reporting.review import Document, Review
from services.reporting.series import MEASURES, Series, series
from services.reporting.sheet import as_csv
from services.reporting.writing import write_review

READERS = Depends(require(Role.LEAD, Role.SYSTEM))
LONGEST = timedelta(days=750)
CSV = "text/csv"

router = APIRouter(prefix="/v1")
Accept = Annotated[str, Header(include_in_schema=False)]


@router.get("/reports/weekly", tags=["reports"], dependencies=[READERS], response_model=Review)
async def weekly(
    parts: Parts,
    week: Annotated[str | None, Query(description="ISO week, e.g. 2026-W12; the present one if left out")] = None,
    accept: Accept = "",
) -> Response:
    """The weekly review: JSON, or CSV by `Accept: text/csv`. 422 for what is no week."""
    return await _review(parts, Grain.WEEK, "week", week, accept)


@router.get("/reports/monthly", tags=["reports"], dependencies=[READERS], response_model=Review)
async def monthly(
    parts: Parts,
    month: Annotated[str | None, Query(description="e.g. 2026-03; the present one if left out")] = None,
    accept: Accept = "",
) -> Response:
    """The same for a month."""
    return await _review(parts, Grain.MONTH, "month", month, accept)


@router.get("/reports/quarterly", tags=["reports"], dependencies=[READERS], response_model=Review)
async def quarterly(
    parts: Parts,
    quarter: Annotated[str | None, Query(description="e.g. 2026-Q1; the present one if left out")] = None,
    accept: Accept = "",
) -> Response:
    """The same for a quarter."""
    return await _review(parts, Grain.QUARTER, "quarter", quarter, accept)


@router.get("/metrics/{name}", tags=["reports"], dependencies=[READERS], response_model=Series)
async def metric(
    parts: Parts,
    name: str,
    start: Annotated[date, Query(alias="from", description="First day, UTC")],
    end: Annotated[date, Query(alias="to", description="Last day, UTC")],
    group: Annotated[str, Query(description="What to group by; `day` by default")] = "day",
    accept: Accept = "",
) -> Response:
    """One metric by one dimension. 404 for an unknown name, 422 naming what it can be grouped by."""
    if name not in MEASURES:
        raise NotFound(f"there is no metric {name!r}; there are {', '.join(sorted(MEASURES))}")
    if group not in MEASURES[name].groups:
        raise Invalid("query.group", f"{name} can be grouped by {', '.join(sorted(MEASURES[name].groups))}")
    if not start <= end <= start + LONGEST:
        raise Invalid("query.to", f"must not be before `from`, nor more than {LONGEST.days} days after it")
    async with snapshot(parts.database) as queries:
        cube = await queries.daily(MEASURES[name].needs, start, end + timedelta(days=1))
    return _answer(series(name, group, start, end, cube), accept)


class Rebuild(Document):
    """A rebuild that was asked for."""

    id: int
    asked_at: datetime
    finished_at: datetime | None
    facts: Annotated[int, Field(description="Facts folded so far.")]
    differences: Annotated[int | None, Field(description="Numbers that were not the same before; 0: all equal.")]
    fault: Annotated[str | None, Field(description="Why it could not be done; the numbers are as they were.")]


ASK = """
INSERT INTO rebuilds (asked_by) VALUES ($1) RETURNING id, asked_at, finished_at, facts, differences, fault
"""
SHOW = "SELECT id, asked_at, finished_at, facts, differences, fault FROM rebuilds WHERE id = $1"


@router.post("/rebuilds", tags=["operations"], status_code=202, response_model=Rebuild)
async def ask_for_rebuild(parts: Parts, caller: Admin, once: AskedOnce) -> Response:
    """Rebuild every number from the speakers' logs, beside those in force, then put the new ones in force."""
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, once) as answering:
        if answering.answer is None:
            row = await transaction.connection.fetchrow(ASK, caller.subject)
            answering.answer = Answer.of(202, _rebuild(row), location=f"/v1/rebuilds/{row['id']}" if row else "")
    return answering.response()


@router.get("/rebuilds/{rebuild_id}", tags=["operations"], dependencies=[Depends(require(Role.ADMIN))])
async def show_rebuild(parts: Parts, rebuild_id: int) -> Rebuild:
    """How far it is. 404 if nobody asked for it."""
    async with parts.database.connection() as connection:
        row = await connection.fetchrow(SHOW, rebuild_id)
    if row is None:
        raise NotFound(f"there is no rebuild {rebuild_id}")
    return _rebuild(row)


def _rebuild(row: Mapping[str, Any] | Any) -> Rebuild:
    return Rebuild.model_validate(dict(row))


async def _review(parts: Parts, grain: Grain, parameter: str, name: str | None, accept: str) -> Response:
    now = parts.clock.now()
    try:
        period = Period.of(grain, now.date()) if name is None else Period.parse(grain, name)
    except ValueError as fault:
        raise Invalid(f"query.{parameter}", str(fault)) from None
    async with snapshot(parts.database) as queries:
        numbers = await queries.numbers(period)
    limits: Limits = parts.configuration.current.parsed
    return _answer(write_review(numbers, limits, now), accept)


def _answer(document: BaseModel, accept: str) -> Response:
    if CSV in accept:
        return Response(as_csv(document), media_type=f"{CSV}; charset=utf-8")
    return Response(document.model_dump_json(), media_type="application/json")
