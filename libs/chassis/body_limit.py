"""No request body is read further than its limit."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.chassis.errors import TooLarge
from libs.chassis.problem import refused

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Bytes that a body may have; the longest prefix of the path wins, e.g. {"/v1/emails": 50 * MEBIBYTE}."""

    default: int = MEBIBYTE
    by_prefix: Mapping[str, int] = field(default_factory=dict)

    def of(self, path: str) -> int:
        """The limit for one path."""
        prefixes = [prefix for prefix in self.by_prefix if path.startswith(prefix)]
        return self.by_prefix[max(prefixes, key=len)] if prefixes else self.default


class _Overflow(Exception):
    """Leaves the application once a body without a Content-Length goes over its limit."""


class BodyLimit:
    """ASGI middleware: 413 by the Content-Length, or as soon as a body without one goes over the limit."""

    def __init__(self, app: ASGIApp, limits: BodyLimits) -> None:
        self.app, self.limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limits.of(scope["path"])
        if _announced(scope) > limit:
            await refused(scope, TooLarge(limit))(scope, receive, send)
            return
        counted = _Counted(receive, send, limit)
        with contextlib.suppress(_Overflow):
            await self.app(scope, counted.receive, counted.send)
        if counted.over and not counted.answering:
            await refused(scope, TooLarge(limit))(scope, receive, send)


class _Counted:
    """One request whose body is counted. Once it is over, what the application answers is kept back."""

    def __init__(self, receive: Receive, send: Send, limit: int) -> None:
        self._receive, self._send, self._left = receive, send, limit
        self.over = self.answering = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.over = True
            raise _Overflow
        return message

    async def send(self, message: Message) -> None:
        # frameworks turn an exception of receive() into an answer of their own
        if self.over and not self.answering:
            return
        self.answering = True
        await self._send(message)


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
