"""Every error of the HTTP API is an RFC 9457 problem: what is wrong, which field, and never how the inside looks."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException

from libs.chassis.errors import NotReady, Refusal

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:signalbox:problem:"
SECURITY_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}

DATABASE_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    # two requests stood in each other's way: one of them may come again
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    OSError,
    TimeoutError,
)


class FieldFault(BaseModel):
    """One wrong field: its dotted path and why it is wrong."""

    field: str
    reason: str


class Problem(BaseModel):
    """Problem details (RFC 9457). Further members say more, e.g. `allowed`, `limit`."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    request_id: str | None = None
    errors: list[FieldFault] | None = None


DOCUMENTED: dict[int | str, dict[str, Any]] = {
    code: {
        "description": f"{whose} (RFC 9457)",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for code, whose in (("4XX", "The request cannot be answered as asked"), ("5XX", "Not now"))
}
"""What the OpenAPI document says about the errors of every route; needs SCHEMAS among its components."""

SCHEMAS: dict[str, Any] = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")[
    1
]["$defs"]


class ProblemResponse(JSONResponse):
    """A problem as the body of a response."""

    media_type = MEDIA_TYPE


def problem(
    scope: Mapping[str, Any],
    status: int,
    *,
    slug: str,
    title: str,
    detail: str | None = None,
    members: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> ProblemResponse:
    """The response for one problem; `members` are added to those of the RFC."""
    request_id = scope.get("state", {}).get("request_id")
    content = {
        **(members or {}),
        "type": TYPE_PREFIX + slug,
        "title": title,
        "status": status,
        **({"detail": detail} if detail else {}),
        "instance": scope["path"],
        **({"request_id": request_id} if request_id else {}),
    }
    # the handler of unknown errors answers outside of all middleware, so the headers are given here too
    identified = {"X-Request-ID": request_id} if request_id else {}
    return ProblemResponse(content, status, {**SECURITY_HEADERS, **identified, **(headers or {})})


def refused(scope: Mapping[str, Any], refusal: Refusal) -> ProblemResponse:
    """The response for one of our own refusals."""
    return problem(
        scope,
        refusal.status,
        slug=refusal.slug,
        title=refusal.title,
        detail=str(refusal),
        members=refusal.members,
        headers=refusal.headers,
    )


async def on_refusal(request: Request, refusal: Exception) -> ProblemResponse:
    """A refusal says all there is to say."""
    assert isinstance(refusal, Refusal)
    return refused(request.scope, refusal)


async def on_invalid_request(request: Request, error: Exception) -> ProblemResponse:
    """422 with the field and the reason of each fault, without the value."""
    assert isinstance(error, RequestValidationError)
    faults = [
        {"field": ".".join(map(str, fault["loc"])), "reason": fault["msg"].removeprefix("Value error, ")}
        for fault in error.errors()
    ]
    detail = "; ".join(f"{fault['field']}: {fault['reason']}" for fault in faults)
    return problem(
        request.scope, 422, slug="invalid", title="Invalid request", detail=detail, members={"errors": faults}
    )


async def on_http_error(request: Request, error: Exception) -> ProblemResponse:
    """What the framework refuses by itself: unknown paths, methods that a path does not have."""
    assert isinstance(error, HTTPException)
    title = HTTPStatus(error.status_code).phrase
    detail = None if error.detail == title else error.detail
    slug = title.lower().replace(" ", "-")
    return problem(request.scope, error.status_code, slug=slug, title=title, detail=detail, headers=error.headers)


async def on_statement_timeout(request: Request, _: Exception) -> ProblemResponse:
    """A search that takes too long is the question's fault (decisions 23)."""
    return problem(
        request.scope, 422, slug="statement-timeout", title="Statement timeout", detail="narrow the question"
    )


async def on_unstorable_text(request: Request, _: Exception) -> ProblemResponse:
    """PostgreSQL stores no NUL, so nothing has such a name: wherever it stands, the question is wrong."""
    return problem(request.scope, 422, slug="invalid", title="Invalid request", detail="a text must not contain NUL")


async def on_unstorable_value(request: Request, _: Exception) -> ProblemResponse:
    """What no column can hold is the question's fault, whichever field that was."""
    detail = "a number has more than 64 bits, or a text what cannot be stored"
    return problem(request.scope, 422, slug="invalid", title="Invalid request", detail=detail)


async def on_database_away(request: Request, _: Exception) -> ProblemResponse:
    """503: the same request will do later."""
    return refused(request.scope, NotReady("the database is away"))


async def on_unknown_error(request: Request, _: Exception) -> ProblemResponse:
    """500 with the request id and nothing else; the server logs the traceback under the same request id."""
    return problem(request.scope, 500, slug="internal-error", title="Internal error")


def answer_with_problems(app: FastAPI) -> None:
    """Make every error response of an application a problem."""
    app.add_exception_handler(Refusal, on_refusal)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(asyncpg.QueryCanceledError, on_statement_timeout)
    app.add_exception_handler(asyncpg.CharacterNotInRepertoireError, on_unstorable_text)
    app.add_exception_handler(asyncpg.DataError, on_unstorable_value)
    for error in DATABASE_AWAY:
        app.add_exception_handler(error, on_database_away)
    app.add_exception_handler(Exception, on_unknown_error)
