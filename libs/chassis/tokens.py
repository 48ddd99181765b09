"""Signed API tokens: made with one shared secret, verified by every service on its own (decisions 16).

Token time is real time, also where domain time is simulated.
"""

import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any
from uuid import uuid4

import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from libs.chassis.clock import real_now
from libs.chassis.errors import Forbidden, Unauthorized
from libs.chassis.rate_limit import RateLimit

ALGORITHM = "HS256"
TOKENS_REMEMBERED = 1024
READING = frozenset({"GET", "HEAD"})
_SCOPE = re.compile(r"(\*|[a-z][a-z-]*):(read|write)")
CLAIMS = ["sub", "role", "jti", "exp"]


class Role(StrEnum):
    """Who may do what: an admin may do what a lead may, a lead what an agent may. A system is none of these."""

    AGENT = "agent"
    LEAD = "lead"
    ADMIN = "admin"
    SYSTEM = "system"


ADMITTED: dict[Role, frozenset[Role]] = {
    Role.AGENT: frozenset({Role.AGENT, Role.LEAD, Role.ADMIN}),
    Role.LEAD: frozenset({Role.LEAD, Role.ADMIN}),
    Role.ADMIN: frozenset({Role.ADMIN}),
    Role.SYSTEM: frozenset({Role.SYSTEM}),
}
"""The roles of tokens that a route open to a role admits."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a valid token speaks for. `agent` is the key of an agent, for people; `jti` identifies the token.

    scopes: what the token is limited to, None for everything its role allows. request_id, trace: of this request, so
    that facts can name what caused them.
    """

    subject: str
    role: Role
    jti: str
    agent: str | None = None
    scopes: frozenset[str] | None = None
    request_id: str | None = None
    trace: str | None = None


class Tokens:
    """Issues and verifies tokens with one secret of at least 32 bytes."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        # a signature stays true: what changes is the time, and that is compared at every call
        self._read_once = lru_cache(TOKENS_REMEMBERED)(self._read)

    def issue(
        self,
        subject: str,
        role: Role,
        now: datetime,
        *,
        agent: str | None = None,
        lifetime: timedelta,
        scopes: Collection[str] | None = None,
    ) -> str:
        """A new token that expires `lifetime` after `now`. scopes: all it may do of what its role allows, each
        `<resource>:read` or `:write` (`*` for any resource); ValueError for another form.
        """
        if scopes is not None and (wrong := [scope for scope in scopes if not _SCOPE.fullmatch(scope)]):
            raise ValueError(f"{wrong[0]!r} is no scope; they look like tickets:read, tickets:write or *:read")
        claims: dict[str, Any] = {"sub": subject, "role": role, "jti": uuid4().hex, "iat": now, "exp": now + lifetime}
        if agent is not None:
            claims["agent"] = agent
        if scopes is not None:
            claims["scopes"] = sorted(scopes)
        return jwt.encode(claims, self._secret, ALGORITHM)

    def verify(self, token: str, now: datetime) -> Caller:
        """The caller that a token names. Unauthorized if it was not signed here, is not whole, or has expired."""
        caller, expires = self._read_once(token)
        if expires <= now:
            raise Unauthorized("this token has expired")
        return caller

    def _read(self, token: str) -> tuple[Caller, datetime]:
        try:
            # PyJWT would compare with the wall clock
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                options={"require": CLAIMS, "verify_exp": False, "verify_iat": False},
            )
            scopes = claims.get("scopes")
            caller = Caller(
                str(claims["sub"]),
                Role(claims["role"]),
                str(claims["jti"]),
                claims.get("agent"),
                None if scopes is None else frozenset(map(str, scopes)),
            )
            return caller, datetime.fromtimestamp(int(claims["exp"]), UTC)
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError):
            raise Unauthorized("this token is not valid") from None


async def nothing(_: str) -> bool:
    """No token is revoked."""
    return False


async def everybody(_: str) -> bool:
    """Every agent is active."""
    return True


@dataclass(frozen=True, slots=True)
class Access:
    """What decides whether a request may pass; `build_app` puts it on `app.state.access`.

    is_revoked(jti) and is_active(agent key) are asked at every request: answer them from memory. rate_limit counts by
    token; None lifts it.
    """

    tokens: Tokens
    is_revoked: Callable[[str], Awaitable[bool]] = nothing
    is_active: Callable[[str], Awaitable[bool]] = everybody
    rate_limit: RateLimit | None = field(default_factory=RateLimit)


bearer = HTTPBearer(auto_error=False, description="A token made by `signalbox token create`")


async def authenticated(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Caller:
    """The caller of this request, whatever the role. Unauthorized, or TooMany over the rate limit."""
    if credentials is None:
        raise Unauthorized
    access: Access = request.app.state.access
    now = real_now()
    caller = access.tokens.verify(credentials.credentials, now)
    if await access.is_revoked(caller.jti):
        raise Unauthorized("this token was revoked")
    if caller.agent is not None and not await access.is_active(caller.agent):
        raise Unauthorized("this agent is not active")
    if access.rate_limit is not None:
        access.rate_limit.take(caller.jti, now.timestamp())
    trace = request.state.trace
    return replace(caller, request_id=request.state.request_id, trace=str(trace) if trace.sampled else None)


class Guard:
    """A dependency that lets some roles pass and gives the Caller."""

    def __init__(self, admitted: frozenset[Role]) -> None:
        self.admitted = admitted

    # a dependency that is not async costs a thread switch at every request
    async def __call__(self, request: Request, caller: Annotated[Caller, Depends(authenticated)]) -> Caller:
        self.check(caller, scope_of(request.method, request.url.path))
        return caller

    def check(self, caller: Caller, scope: str) -> None:
        """Forbidden unless the role is admitted and the token, if it is limited, has this scope."""
        if caller.role not in self.admitted:
            raise Forbidden(f"the role {caller.role} does not allow this")
        if caller.scopes is not None and caller.scopes.isdisjoint((scope, f"*:{scope.rpartition(':')[2]}")):
            raise Forbidden(f"this token is limited to {', '.join(sorted(caller.scopes))}; {scope} is needed")


def scope_of(method: str, path: str) -> str:
    """The scope that a request needs: the first part of its path below /v1, and whether it only reads.

    `GET /v1/tickets/4711/timeline` needs `tickets:read`, any other method `tickets:write`.
    """
    resource = path.removeprefix("/v1/").partition("/")[0]
    return f"{resource}:{'read' if method in READING else 'write'}"


def require(*roles: Role) -> Guard:
    """A dependency for `Depends`: the Caller, if the role is one of these or stands above one of them.

    Deny by default: an application with a route that has neither this nor `anyone` is not built.
    """
    return Guard(frozenset().union(*(ADMITTED[role] for role in roles)))


async def anyone() -> None:
    """A dependency that says: this route needs no token, and that is meant."""
