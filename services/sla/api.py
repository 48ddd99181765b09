"""What people and programs may ask about clocks."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from libs.chassis.asking import Parts
from libs.chassis.configuration import Bundle
from libs.chassis.errors import NotFound
from libs.chassis.pagination import DEFAULT_LIMIT, CursorParameter, Limit, Page, Position, decode, page_of
from libs.chassis.tokens import Role, require
from libs.chassis.transaction import Transaction
from services.sla.clock_view import TicketClocksView, view
from services.sla.document import read
from services.sla.domain.clock import TicketClocks
from services.sla.handlers import rules_in_force
from services.sla.policy import Promises
from services.sla.rules import FILE, HOURS, Rules, parse
from services.sla.store import Store

router = APIRouter(tags=["sla"], dependencies=[Depends(require(Role.AGENT, Role.SYSTEM))])

ONE = "SELECT clocks FROM tickets WHERE id = $1"
BUNDLE = "SELECT bundle FROM configuration WHERE version = $1"
AT_RISK = """
SELECT id, next_deadline, next_warning, state->>'priority' AS priority, state->>'queue' AS queue,
       state->>'assignee' AS assignee, state->>'reference' AS reference, clocks
FROM tickets
WHERE next_deadline IS NOT NULL AND (next_warning <= $1 OR next_deadline <= $1)
  AND ($2::text IS NULL OR state->>'queue' = $2) AND ($3::text IS NULL OR state->>'assignee' = $3)
  AND ($4::timestamptz IS NULL OR (next_deadline, id) > ($4, $5))
ORDER BY next_deadline, id LIMIT $6
"""


@router.get("/v1/tickets/{ticket}/clocks", summary="The clocks of a ticket, with every stretch they ran or stood still")
async def clocks(parts: Parts, ticket: str) -> TicketClocksView:
    """Running segments add up to `ran_seconds` to the second, pauses are the rest. 404 for a ticket not known here."""
    async with parts.transactions.begin() as transaction:
        stored = await transaction.connection.fetchval(ONE, ticket)
        if stored is None:
            raise NotFound(f"there are no clocks of a ticket {ticket}")
        found = read(stored)
        judged_by = await _judged_by(found, transaction)
        return view(found, transaction.now, judged_by)


async def _judged_by(ticket: TicketClocks, transaction: Transaction) -> dict[int, Rules]:
    """The rules of every version that one of these clocks was judged by; the present ones for open clocks."""
    present = await rules_in_force(Store(transaction), transaction)
    versions = {clock.verdict.version for clock in ticket.clocks if clock.verdict is not None} - {present.version}
    found = {present.version: present}
    for version in versions:
        bundle = await transaction.connection.fetchval(BUNDLE, version)
        if bundle is not None:
            found[version] = parse(Bundle.decode(bundle).files)
    return found


class AtRisk(BaseModel):
    """A ticket whose clocks near their deadline."""

    ticket: str
    reference: str | None = None
    priority: str | None = Field(None, description="null where nobody has set one")
    queue: str | None = None
    assignee: str | None = None
    deadline: datetime = Field(description="The earliest deadline of its running clocks")
    metric: str = Field(description="Which clock that is")
    warned: bool = Field(description="Whether that clock's warning was said")
    overdue: bool = Field(description="Whether the deadline has passed and the breach is about to be said")


class AtRiskPosition(Position):
    """Where a page of tickets at risk ended."""

    deadline: datetime
    id: str


@router.get("/v1/at-risk", summary="Tickets that near a deadline, the earliest first")
async def at_risk(
    parts: Parts,
    within: Annotated[int, Query(ge=0, le=604_800, description="Seconds to look ahead")] = 0,
    queue: Annotated[str | None, Query(description="Only of this queue")] = None,
    assignee: Annotated[str | None, Query(description="Only of this agent")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorParameter = None,
) -> Page[AtRisk]:
    """Tickets with a running clock that reaches its warning or its deadline now, or `within` so many seconds."""
    place = decode(AtRiskPosition, cursor) if cursor else None
    now = parts.clock.now()
    async with parts.database.connection() as connection:
        rows = await connection.fetch(
            AT_RISK,
            now + timedelta(seconds=within),
            queue,
            assignee,
            place and place.deadline,
            place and place.id,
            limit + 1,
        )
    shown, following = page_of(rows, limit, lambda row: AtRiskPosition(deadline=row["next_deadline"], id=row["id"]))
    return Page(items=[_at_risk(row, now) for row in shown], next=following)


def _at_risk(row: Any, now: datetime) -> AtRisk:
    clocks = [clock for clock in read(row["clocks"]).clocks if clock.is_ticking]
    nearest = next(clock for clock in clocks if clock.deadline == row["next_deadline"])
    return AtRisk(
        ticket=row["id"],
        reference=row["reference"],
        priority=row["priority"],
        queue=row["queue"],
        assignee=row["assignee"],
        deadline=row["next_deadline"],
        metric=nearest.metric,
        warned=nearest.warned is not None,
        overdue=row["next_deadline"] <= now,
    )


class PoliciesInForce(BaseModel):
    """What customers are promised now."""

    version: int = Field(description="Version of the configuration")
    promises: Promises = Field(description=f"{FILE} as it was understood; times in seconds")
    schedules: dict[str, Any] = Field(description=f"{HOURS} as it was written")
    queues: dict[str, str] = Field(description="The schedules that queues have, by queue")


@router.get("/v1/policies", summary="The policies in force, in the order in which they are tried")
async def policies(parts: Parts) -> PoliciesInForce:
    """With the schedules they run on."""
    async with parts.transactions.begin() as transaction:
        rules = await rules_in_force(Store(transaction), transaction)
        return PoliciesInForce(
            version=rules.version,
            promises=rules.promises,
            schedules=transaction.config.files[HOURS]["schedules"],
            queues=dict(rules.queues),
        )
