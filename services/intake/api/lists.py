"""The list of tickets: a view, a condition, filters, words, an order (behaviour V-3, V-4)."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ValidationError

from libs.chassis.errors import Invalid
from libs.chassis.pagination import DEFAULT_LIMIT, CursorParameter, Limit, Page, decode
from libs.conditions.where_text import MAX_WHERE
from services.intake.api.answers import TicketAnswer, listed_answer
from services.intake.api.asking import AgentOrAbove, Parts
from services.intake.api.selection import Selection, chosen
from services.intake.domain.rights import unseen_by
from services.intake.folders import Sort
from services.intake.listing import TicketPosition
from services.intake.sifting import tickets_of

router = APIRouter(prefix="/v1/tickets", tags=["tickets"])

Some = Annotated[list[str], Query(default_factory=list, max_length=20)]
SEARCHED = 'Words, "phrases", beginnings*, -without, start of an email, or a reference (docs/search.md)'
WHERE = "A condition, e.g. `status = open and (priority in (high, critical) or tags has vip) and created_at < -2d`"


@router.get("")
async def list_tickets(
    caller: AgentOrAbove,
    parts: Parts,
    status: Some,
    category: Some,
    queue: Some,
    assignee: Some,
    priority: Some,
    tag: Some,
    channel: Some,
    customer: Some,
    view: Annotated[str | None, Query(max_length=64, description="Key of a folder or of a kept view")] = None,
    where: Annotated[str | None, Query(max_length=MAX_WHERE, description=WHERE)] = None,
    created_after: datetime | None = None,
    q: Annotated[str | None, Query(max_length=200, description=SEARCHED)] = None,
    sort: Sort | None = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorParameter = None,
) -> Page[TicketAnswer]:
    """Tickets that fit the view, the condition and every filter.

    In filters `none` asks for unset and `assignee=me` for the caller. With `cursor` give the same view, condition and
    filters: the list goes on as it was when its first page was asked for, and meets no ticket twice.
    """
    selection = _selection(
        status=status,
        category=category,
        queue=queue,
        assignee=assignee,
        priority=priority,
        tag=tag,
        channel=channel,
        customer=customer,
        view=view,
        where=where,
        created_after=created_after,
        q=q,
    )
    after = None if cursor is None else decode(TicketPosition, cursor)
    async with parts.transactions.begin() as transaction:
        now = transaction.now if after is None else after.as_of
        asked, order = await chosen(selection, caller, transaction, now, "query")
        order = after.sort if after else sort or order
        page = await tickets_of(transaction.connection, asked, order, limit, after)
        config = transaction.config.parsed
    unseen = unseen_by(caller.role, config.fields)
    return Page(items=[listed_answer(row, config.statuses, unseen) for row in page.items], next=page.next)


def _selection(**given: Any) -> Selection:
    try:
        return Selection(**given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Invalid(f"query.{first['loc'][0]}", first["msg"].removeprefix("Value error, ")) from None
