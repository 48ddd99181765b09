"""Tickets chosen by a view, a condition, filters and words: for lists, and for what is done to all of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from libs.chassis.errors import Invalid
from libs.chassis.tokens import Caller
from libs.chassis.transaction import Transaction
from libs.conditions.fields import ME, MY_QUEUES
from libs.conditions.problems import ConditionError
from libs.conditions.reading import Context
from libs.conditions.tree import All, Node, parse
from libs.conditions.where_text import MAX_WHERE, parse_where
from libs.conditions.where_tokens import WhereError
from services.intake.api.asking import reads_inside
from services.intake.api.bodies import Body, Plain
from services.intake.api.viewing import viewer_of
from services.intake.domain.rights import unseen_by
from services.intake.folders import FOLDERS, SUSPENDED_MAIL, Sort
from services.intake.questions import Question
from services.intake.reach import as_seen, is_bounded, personal, with_present_statuses
from services.intake.saved_views import SavedViews, queues_of
from services.intake.search_words import Search, Unsearchable, read_search
from services.intake.sifting import tickets_of

NOBODY, MYSELF = "none", "me"
FILTERS = ("status", "category", "queue", "assignee", "priority", "channel")
Values = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=200), Plain], ...], Field(max_length=20)
]


class Selection(Body):
    """The parameters of `GET /v1/tickets`, with the same meaning."""

    view: Annotated[str, StringConstraints(max_length=64), Plain] | None = None
    where: Annotated[str, StringConstraints(max_length=MAX_WHERE), Plain] | None = None
    status: Values = ()
    category: Values = ()
    queue: Values = ()
    assignee: Values = ()
    priority: Values = ()
    tag: Values = ()
    channel: Values = ()
    customer: Values = ()
    created_after: datetime | None = None
    q: Annotated[str, StringConstraints(max_length=200), Plain] | None = None


async def chosen(
    selection: Selection, caller: Caller, transaction: Transaction, now: datetime, part: str
) -> tuple[Question, Sort]:
    """What is asked for, and the order of the view. Invalid names the field below `part` of the request."""
    order = Sort.LATEST
    wanted = [*_filters(selection, part), *_where(selection.where, part)]
    if selection.view is not None:
        condition, order = await _view(selection.view, caller, transaction, part)
        wanted.append(condition)
    search = None if selection.q is None else _search(selection.q, caller, part)
    asked = await question(wanted, caller, transaction, now, part)
    return replace(asked, customers=selection.customer, search=search), order


async def question(
    wanted: Sequence[Node], caller: Caller, transaction: Transaction, now: datetime, part: str = "query"
) -> Question:
    """All conditions together, as this caller means them. Invalid (422) where it is about nobody."""
    config = transaction.config.parsed
    statuses = config.statuses
    # first of all, so that nothing that follows can tell what the fields hold
    seen = as_seen(All.model_construct(all=tuple(wanted)), unseen_by(caller.role, config.fields))
    condition = with_present_statuses(seen, statuses)
    about = personal(condition)
    if about and caller.agent is None:
        raise Invalid(part, "this token names no agent, so nothing is theirs")
    queues = await queues_of(transaction.connection, caller.agent) if MY_QUEUES in about else frozenset()
    context = Context(now=now, me=caller.agent, my_queues=queues)
    return Question(condition, context, bounded=is_bounded(condition, statuses))


async def matching(selection: Selection, caller: Caller, transaction: Transaction, most: int) -> list[str]:
    """The ids of the tickets that fit at present, the oldest first, up to so many."""
    asked, _ = await chosen(selection, caller, transaction, transaction.now, "body.filter")
    page = await tickets_of(transaction.connection, asked, Sort.CREATED, most, None)
    await transaction.connection.execute("SET LOCAL statement_timeout = DEFAULT")
    return [row["id"] for row in page.items]


async def _view(key: str, caller: Caller, transaction: Transaction, part: str) -> tuple[Node, Sort]:
    if key == SUSPENDED_MAIL:
        raise Invalid(f"{part}.view", "these are no tickets yet: GET /v1/suspended-mail lists them")
    if key in FOLDERS:
        return FOLDERS[key].condition, FOLDERS[key].sort
    viewer = await viewer_of(transaction.connection, caller)
    found = await SavedViews(transaction.connection).one(key, viewer)
    if found is None:
        raise Invalid(f"{part}.view", f"{key!r} is neither a kept view of yours nor one of {', '.join(FOLDERS)}")
    return found.condition, found.sort


def _search(text: str, caller: Caller, part: str) -> Search:
    try:
        return read_search(text, notes=reads_inside(caller))
    except Unsearchable as refused:
        raise Invalid(f"{part}.q", str(refused)) from None


def _where(text: str | None, part: str) -> list[Node]:
    try:
        return [] if text is None else [parse_where(text)]
    except WhereError as error:
        raise Invalid(f"{part}.where", str(error)) from None


def _filters(selection: Selection, part: str) -> list[Node]:
    found = []
    for name in FILTERS:
        values: tuple[str, ...] = getattr(selection, name)
        known = [ME if value == MYSELF and name == "assignee" else value for value in values if value != NOBODY]
        choices = [_leaf(name, "in", known)] if known else []
        if NOBODY in values:
            choices.append(_leaf(name, "is_unset"))
        if choices:
            found.append(_checked(f"{part}.{name}", {"any": choices}))
    found += [_checked(f"{part}.tag", _leaf("tags", "has", tag)) for tag in selection.tag]
    if selection.created_after is not None:
        moment = selection.created_after.isoformat()
        found.append(_checked(f"{part}.created_after", _leaf("created_at", "after", moment)))
    return found


def _leaf(field: str, operator: str, value: object = None) -> dict[str, Any]:
    return {"field": field, "operator": operator, **({} if value is None else {"value": value})}


def _checked(field: str, condition: dict[str, Any]) -> Node:
    try:
        return parse(condition)
    except ConditionError as error:
        raise Invalid(field, error.problems[0].reason) from None
