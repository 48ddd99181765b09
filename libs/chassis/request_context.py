"""What every request gets: an id, a place in a trace, safe headers, and a count by its route."""

import re
from time import perf_counter
from uuid import uuid4

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.chassis.metrics import HttpMetrics
from libs.chassis.problem import SECURITY_HEADERS
from libs.chassis.trace import Trace

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"
_SAFE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

# the page of the documentation loads its program from there
DOCS_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net; "
    "style-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net; img-src 'self' data: https://fastapi.tiangolo.com; "
    "connect-src 'self'; frame-ancestors 'none'"
)


class RequestContext:
    """ASGI middleware. The id is the caller's X-Request-ID if it is 1 to 64 of [A-Za-z0-9._-], else a new one.

    Trace and id are bound to the log of everything that the request causes, and the id is in its response.
    """

    def __init__(self, app: ASGIApp, metrics: HttpMetrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self._enter(scope)
        # an exception that leaves the application becomes a 500 further out
        status, started = 500, perf_counter()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(scope, message)
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        finally:
            self._count(scope, status, perf_counter() - started)

    def _enter(self, scope: Scope) -> None:
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given.decode() if _SAFE_ID.fullmatch(given) else uuid4().hex
        trace = Trace.following(headers.get(b"traceparent", b"").decode("latin-1"))
        scope.setdefault("state", {}).update(request_id=request_id, trace=trace)
        # not taken back: the server logs a crash after the application has been left, in the same task
        structlog.contextvars.bind_contextvars(request_id=request_id, trace_id=trace.trace_id)

    def _count(self, scope: Scope, status: int, duration: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = getattr(scope.get("route"), "path", UNMATCHED)
        self.metrics.requests.labels(method, route, str(status)).inc()
        self.metrics.duration.labels(method, route).observe(duration)


def _add_headers(scope: Scope, message: Message) -> None:
    headers = MutableHeaders(scope=message)
    headers.setdefault("X-Request-ID", scope["state"]["request_id"])
    if scope["path"] == "/docs":
        headers.setdefault("Content-Security-Policy", DOCS_POLICY)
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
