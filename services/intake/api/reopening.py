"""Not solved: the link in the word that a ticket is resolved (behaviour K-3).

GET shows a page and changes nothing, for scanners follow every link in a mail; the button on it sends the POST.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.security import HTTPAuthorizationCredentials

from libs.chassis.clock import real_now
from libs.chassis.idempotency import HEADER, Answer, Asked, asked_by, idempotent
from libs.chassis.resources import Resources
from libs.chassis.signed_links import SignedLinks
from libs.chassis.tokens import Role, anyone, authenticated, bearer, require, scope_of
from libs.chassis.transaction import Connection
from libs.contracts.reopen_link import LIFETIME, PURPOSE
from services.intake.api.asking import Parts, by
from services.intake.chains import Chains
from services.intake.domain.changing import reopen
from services.intake.domain.decision import CUSTOMER, By
from services.intake.domain.reopening import Standing, standing
from services.intake.domain.ticket import Ticket
from services.intake.domain.via import Via, through
from services.intake.reopen_page import ReopenPages
from services.intake.store import Store

router = APIRouter(prefix="/v1/reopen", tags=["tickets"], dependencies=[Depends(anyone)])

CALLERS = require(Role.AGENT, Role.SYSTEM)
PAGE_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Robots-Tag": "noindex",
}
HTML = {"text/html": {"schema": {"type": "string"}}}
PROBLEM = {"application/problem+json": {"schema": {"type": "object"}}}
PAGES: dict[int | str, dict[str, Any]] = {
    200: {"content": HTML, "description": "The ticket is resolved and can be opened, or is open"},
    403: {
        "content": HTML | PROBLEM,
        "description": "This link is over, or not one of ours; or the token is none for it",
    },
    410: {"content": HTML, "description": "The ticket is closed or gone"},
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who follows a link. name: whose Idempotency-Keys they are; may: whether the link, or a token, allows it."""

    by: By
    name: str
    may: bool = True


async def visitor_of(
    request: Request,
    ticket: str,
    parts: Parts,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    expires: Annotated[int | None, Query(ge=0, lt=2**53, description="Of a signed link")] = None,
    signature: Annotated[str | None, Query(max_length=100, description="Of a signed link")] = None,
) -> Visitor:
    """The customer, by a signed link; or a program or an agent, by a token."""
    if expires is None or signature is None:
        caller = await authenticated(request, credentials)
        CALLERS.check(caller, scope_of(request.method, request.url.path))
        return Visitor(by(caller), caller.subject)
    links = SignedLinks(parts.settings.token_secret.get_secret_value(), PURPOSE, LIFETIME)
    cause = through(Via.LINK, request.state.request_id)
    may = links.allows(ticket, expires, signature, real_now())
    return Visitor(replace(CUSTOMER, cause=cause), f"link:{ticket}", may)


async def asked_of(
    request: Request,
    visitor: Annotated[Visitor, Depends(visitor_of)],
    key: Annotated[str | None, Header(alias=HEADER, description="Any text of your own; kept for 24 hours")] = None,
) -> Asked:
    """The request, for who sends it again."""
    return await asked_by(request, visitor.name, key)


Following = Annotated[Visitor, Depends(visitor_of)]


@router.get("/{ticket}", response_class=HTMLResponse, responses=PAGES)
async def show(ticket: str, visitor: Following, parts: Parts) -> Response:
    """A page for the customer: whether their ticket is resolved, with a button to open it again. Changes nothing."""
    if not visitor.may:
        return _over(parts).response()
    async with parts.transactions.begin() as transaction:
        found = await Store(transaction).glance(await _end(transaction.connection, ticket))
    return _page(found, parts).response()


@router.post("/{ticket}", response_class=HTMLResponse, responses=PAGES)
async def open_again(
    ticket: str, visitor: Following, asked: Annotated[Asked, Depends(asked_of)], parts: Parts
) -> Response:
    """The customer says that it is not solved: a resolved ticket is open again; one that is open stays as it is."""
    if not visitor.may:
        return _over(parts).response()
    async with parts.transactions.begin() as transaction, idempotent(transaction.connection, asked) as once:
        if once.answer is None:
            store = Store(transaction)
            end = await _end(transaction.connection, ticket)
            found = (await store.tickets([end])).get(end)
            if found is not None and standing(found) is Standing.RESOLVED:
                decision = reopen(found, store.statuses, transaction.now, visitor.by)
                await store.save([decision])
                found = decision.ticket
            once.answer = _page(found, parts)
    return once.response()


async def _end(connection: Connection, ticket: str) -> str:
    """The ticket itself, or the one that it is a part of now (behaviour H-5)."""
    return (await Chains(connection).living([ticket])).get(ticket, ticket)


def _page(ticket: Ticket | None, parts: Resources) -> Answer:
    pages: ReopenPages = parts.configuration.current.parsed.reopen_pages
    state = standing(ticket)
    if ticket is None or state is Standing.OVER:
        return _answer(410, pages.render(state, "", None if ticket is None else ticket.language))
    return _answer(200, pages.render(state, ticket.origin.reference, ticket.language))


def _over(parts: Resources) -> Answer:
    """Nothing of the ticket is shown, not even whether there is one."""
    pages: ReopenPages = parts.configuration.current.parsed.reopen_pages
    return _answer(403, pages.render(Standing.OVER, "", None))


def _answer(status: int, page: str) -> Answer:
    return Answer(status, page.encode(), PAGE_HEADERS)
