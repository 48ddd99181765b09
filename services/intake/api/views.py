"""Views: the folders that everybody has, and what people keep (behaviour V-4, V-5)."""

from dataclasses import replace
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request, Response

from libs.chassis.errors import Conflict, Invalid, NotFound
from libs.chassis.idempotency import Answer, idempotent
from libs.chassis.pagination import Page
from libs.chassis.tokens import Caller
from libs.chassis.transaction import Connection, Transaction
from libs.conditions.problems import ConditionError
from libs.conditions.tree import Node, parse, plain
from libs.conditions.where_text import parse_where
from libs.conditions.where_tokens import WhereError
from libs.conditions.where_writing import write
from services.intake.api.asking import AgentOrAbove, AskedOnce, IfMatch, Parts, check_version, etag
from services.intake.api.selection import question
from services.intake.api.view_bodies import LISTED, ChangedView, NewView, ViewAnswer
from services.intake.api.viewing import check_change, may_change, viewer_of
from services.intake.counting import Counts
from services.intake.folders import FOLDERS, SUSPENDED_MAIL, Folder, Sort
from services.intake.identities import Identities
from services.intake.reach import personal
from services.intake.saved_views import SavedViews, Scope, View
from services.intake.sifting import MOST_COUNTED, Count, count_of

router = APIRouter(prefix="/v1/views", tags=["views"])

SUSPENDED = f"""
SELECT count(*) FROM (SELECT FROM inbound_mail WHERE disposition = 'suspended' LIMIT {MOST_COUNTED + 1}) AS x
"""


def counts_of(request: Request) -> Counts:
    """The counts of this process."""
    return cast(Counts, request.app.state.counts)


Remembered = Annotated[Counts, Depends(counts_of)]


@router.get("")
async def list_views(
    caller: AgentOrAbove,
    parts: Parts,
    remembered: Remembered,
    counts: Annotated[bool, Query(description="false leaves the counts out")] = True,
) -> Page[ViewAnswer]:
    """The folders that everybody has, then the views the caller sees, each with its count."""
    async with parts.transactions.begin() as transaction:
        connection = transaction.connection
        saved = await SavedViews(connection).visible(await viewer_of(connection, caller))
        items: list[ViewAnswer] = []
        views: list[Folder | View] = [*FOLDERS.values(), *saved]
        for view in views:
            # what is about an agent is nobody's with a token that names none
            if caller.agent is None and personal(view.condition):
                continue
            found = await _counted(transaction, view.condition, caller, remembered) if counts else None
            items.append(_answer(view, caller, found))
        items.append(await _suspended(connection, counts=counts))
    return Page(items=items)


@router.post("", status_code=201, response_model=ViewAnswer)
async def keep_view(body: NewView, caller: AgentOrAbove, asked: AskedOnce, parts: Parts) -> Response:
    """Keep a view: one's own, or with the role of a lead one for a queue or for everybody."""
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            view, views = _new(body, caller, transaction), SavedViews(transaction.connection)
            check_change(caller, view)
            if await views.is_full(view.owner):
                raise Conflict("there are as many views as can be kept: delete one first")
            await views.save(view)
            location = f"/v1/views/{view.id}"
            once.answer = Answer.of(201, _answer(view, caller), etag=etag(view), location=location)
    return once.response()


@router.get("/{view}")
async def read_view(
    view: str, response: Response, caller: AgentOrAbove, parts: Parts, remembered: Remembered
) -> ViewAnswer:
    """One view with its count."""
    async with parts.transactions.begin() as transaction:
        if view == SUSPENDED_MAIL:
            return await _suspended(transaction.connection, counts=True)
        found: Folder | View = FOLDERS.get(view) or await _seen(transaction.connection, view, caller)
        if isinstance(found, View):
            response.headers["ETag"] = etag(found)
        return _answer(found, caller, await _counted(transaction, found.condition, caller, remembered))


@router.patch("/{view}")
async def change_view(
    view: str, body: ChangedView, response: Response, caller: AgentOrAbove, parts: Parts, if_match: IfMatch = None
) -> ViewAnswer:
    """Change a view: 403 unless it is one's own or one is a lead, 412 if If-Match names another version."""
    async with parts.transactions.begin() as transaction:
        before = await _mine(transaction.connection, view, caller, if_match)
        after = replace(
            before,
            label=body.label or before.label,
            condition=_condition(body) or before.condition,
            columns=body.columns or before.columns,
            sort=body.sort or before.sort,
            version=before.version + 1,
            updated_at=transaction.now,
        )
        await SavedViews(transaction.connection).save(after)
    response.headers["ETag"] = etag(after)
    return _answer(after, caller)


@router.delete("/{view}", status_code=204)
async def forget_view(view: str, caller: AgentOrAbove, parts: Parts, if_match: IfMatch = None) -> None:
    """Forget a view; tickets are not touched."""
    async with parts.transactions.begin() as transaction:
        await _mine(transaction.connection, view, caller, if_match)
        await SavedViews(transaction.connection).delete(view)


def _new(body: NewView, caller: Caller, transaction: Transaction) -> View:
    if body.scope is Scope.PERSONAL and caller.agent is None:
        raise Invalid("body.scope", "this token names no agent, so no view is personal to it")
    condition = _condition(body)
    assert condition is not None
    now = transaction.now
    return View(
        id=Identities(now).new(),
        label=body.label,
        scope=body.scope,
        owner=caller.agent if body.scope is Scope.PERSONAL else None,
        queue=body.queue,
        condition=condition,
        columns=body.columns or LISTED,
        sort=body.sort or Sort.LATEST,
        version=1,
        created_by=caller.subject,
        created_at=now,
        updated_at=now,
    )


def _condition(body: ChangedView) -> Node | None:
    try:
        if body.where is not None:
            return parse_where(body.where)
        return None if body.condition is None else parse(body.condition)
    except WhereError as error:
        raise Invalid("body.where", str(error)) from None
    except ConditionError as error:
        raise Invalid("body.condition", str(error.problems[0])) from None


async def _seen(connection: Connection, id: str, caller: Caller) -> View:
    found = await SavedViews(connection).one(id, await viewer_of(connection, caller))
    if found is None:
        raise NotFound(f"there is no view {id}")
    return found


async def _mine(connection: Connection, id: str, caller: Caller, if_match: str | None) -> View:
    """A view to change; the folders that everybody has stay as they are."""
    if id in FOLDERS or id == SUSPENDED_MAIL:
        raise Conflict("this folder is built in: keep a view of your own")
    view = await _seen(connection, id, caller)
    check_change(caller, view)
    check_version(view, if_match)
    return view


async def _counted(transaction: Transaction, condition: Node, caller: Caller, remembered: Counts) -> Count:
    asked = await question([condition], caller, transaction, transaction.now)
    return await remembered.of(asked, lambda each: count_of(transaction.connection, each))


async def _suspended(connection: Connection, *, counts: bool) -> ViewAnswer:
    found = await connection.fetchval(SUSPENDED) if counts else None
    return ViewAnswer(
        key=SUSPENDED_MAIL,
        label="Suspended mail",
        scope="builtin",
        columns=("received_at", "author", "subject", "reason"),
        url="/v1/suspended-mail",
        count=None if found is None else min(found, MOST_COUNTED),
        count_capped=None if found is None else found > MOST_COUNTED,
    )


def _answer(view: Folder | View, caller: Caller, count: Count | None = None) -> ViewAnswer:
    kept = view if isinstance(view, View) else None
    key = view.id if isinstance(view, View) else view.key
    return ViewAnswer(
        key=key,
        label=view.label,
        scope="builtin" if kept is None else kept.scope.value,
        queue=None if kept is None else kept.queue,
        where=write(view.condition),
        condition=plain(view.condition),
        columns=LISTED if kept is None else kept.columns,
        sort=view.sort.value,
        url=f"/v1/tickets?view={key}",
        may_change=kept is not None and may_change(caller, kept),
        version=None if kept is None else kept.version,
        count=None if count is None else count.tickets,
        count_capped=None if count is None else count.capped,
    )
