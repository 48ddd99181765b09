"""The HTTP side of a service: the application with everything that is the same everywhere, and its server."""

import contextlib
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any

import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from libs.chassis import events_api, health, parked_api, repair_api
from libs.chassis.body_limit import BodyLimit, BodyLimits
from libs.chassis.errors import Fault, SettingsError, UnguardedRoute
from libs.chassis.health import Checks
from libs.chassis.metrics import Metrics
from libs.chassis.problem import DOCUMENTED, SCHEMAS, answer_with_problems
from libs.chassis.request_context import RequestContext
from libs.chassis.settings import variable
from libs.chassis.tokens import Access, Guard, anyone

BACKLOG = 2048
GRACE_SECONDS = 3


class Application(FastAPI):
    """A FastAPI application whose OpenAPI document says how its errors look, and shows an example of each body."""

    examples: Mapping[str, Any] = MappingProxyType({})
    """Bodies by `METHOD path`."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            document.setdefault("components", {}).setdefault("schemas", {}).update(SCHEMAS)
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    _show(operation, self.examples.get(f"{method.upper()} {path}"))
        return super().openapi()


def _show(operation: dict[str, Any], example: object) -> None:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if example is not None:
            content.setdefault("example", example)


def build_app(
    name: str,
    version: str,
    routers: Sequence[APIRouter],
    *,
    access: Access,
    metrics: Metrics,
    checks: Checks | None = None,
    limits: BodyLimits | None = None,
    state: Mapping[str, Any] | None = None,
    examples: Mapping[str, Any] | None = None,
) -> FastAPI:
    """The application of one service: its routers, /openapi.json, /docs, /livez, /readyz and /metrics.

    Every error is a problem (RFC 9457). `app.state` has access, metrics, checks and what `state` adds.
    UnguardedRoute if a route says neither who may call it (`require`) nor that anybody may (`anyone`).
    examples: request bodies by `METHOD path`, shown in the OpenAPI document.
    """
    app = Application(
        title=f"Signalbox {name}", version=version, redoc_url=None, redirect_slashes=False, responses=DOCUMENTED
    )
    app.examples = examples or {}
    for key, value in {**(state or {}), "access": access, "metrics": metrics, "checks": checks or Checks()}.items():
        setattr(app.state, key, value)
    answer_with_problems(app)
    for router in (health.router, *routers):
        refuse_unguarded(router.routes)
        app.include_router(router)
    app.add_middleware(BodyLimit, limits=limits or BodyLimits())
    app.add_middleware(RequestContext, metrics=metrics.http)
    return app


def routers_of(own: Sequence[APIRouter], *, speaks: bool) -> list[APIRouter]:
    """What a service serves: its own routes, those for operators, and its log if it says facts."""
    return [*own, parked_api.router, repair_api.router, *([events_api.router] if speaks else [])]


def refuse_unguarded(routes: Sequence[BaseRoute]) -> None:
    """Deny by default: a forgotten guard is found when the application is built."""
    for route in routes:
        if isinstance(route, APIRoute):
            if not _is_guarded(route.dependant):
                raise UnguardedRoute(f"{route.path} needs `require(...)` or `anyone` among its dependencies")
        else:
            refuse_unguarded(getattr(getattr(route, "original_router", route), "routes", None) or [])


def _is_guarded(dependant: Dependant) -> bool:
    return any(
        needed.call is anyone or isinstance(needed.call, Guard) or _is_guarded(needed)
        for needed in dependant.dependencies
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket; port 0 takes a free one. SettingsError if the address cannot be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        fault = Fault(variable("http_port"), f"cannot listen on {host}:{port}: {reason}", "a free port, or 0")
        raise SettingsError([fault]) from error


class Server(uvicorn.Server):
    """Serves an application on a port that is bound before anything else starts, so that its URL is known.

    Signals stay with the process. Stop it by `should_exit = True` and awaiting what `serve` returns: requests in
    flight have 3 s. Until `serve` runs, callers wait in the socket's queue.
    """

    def __init__(self, app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> None:
        self.listener = listen(host, port)
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )

    @property
    def url(self) -> str:
        """Where it is reached from this machine, without a slash at the end."""
        host, port = self.listener.getsockname()[:2]
        address = ip_address(host)
        if address.is_unspecified:
            address = ip_address("127.0.0.1" if address.version == 4 else "::1")
        return f"http://[{address}]:{port}" if address.version == 6 else f"http://{address}:{port}"

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Until `should_exit`; the listening socket is closed at the end."""
        await super().serve(sockets or [self.listener])

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured: uvicorn would replace the process' handlers and raise the signal again at its end."""
        yield
