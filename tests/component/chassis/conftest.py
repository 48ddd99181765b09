"""An application as a service builds it, with a few routes that show what every route gets."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import BaseModel, Field

from libs.chassis.body_limit import BodyLimits
from libs.chassis.clock import real_now
from libs.chassis.errors import Conflict, PreconditionFailed
from libs.chassis.health import Checks
from libs.chassis.http import build_app
from libs.chassis.metrics import Metrics
from libs.chassis.rate_limit import RateLimit
from libs.chassis.tokens import Access, Caller, Role, Tokens, anyone, require

LIMITS = BodyLimits(default=100, by_prefix={"/v1/things/big": 1000})


class Thing(BaseModel):
    name: str
    size: int = Field(ge=1)


router = APIRouter(prefix="/v1/things")
AgentOrAbove = Annotated[Caller, Depends(require(Role.AGENT))]


@router.get("/open", dependencies=[Depends(anyone)])
async def open_to_anyone() -> str:
    return "welcome"


@router.get("/numbers/{number}")
async def number(number: int, caller: AgentOrAbove) -> int:
    return number


@router.get("/agents")
async def for_agents(caller: AgentOrAbove) -> str:
    return caller.subject


@router.get("/leads")
async def for_leads(caller: Annotated[Caller, Depends(require(Role.LEAD))]) -> str:
    return caller.subject


@router.get("/admins")
async def for_admins(caller: Annotated[Caller, Depends(require(Role.ADMIN))]) -> str:
    return caller.subject


@router.get("/system")
async def for_systems(caller: Annotated[Caller, Depends(require(Role.SYSTEM))]) -> str:
    return caller.subject


@router.post("")
async def make(thing: Thing, caller: AgentOrAbove) -> Thing:
    return thing


@router.post("/big")
async def make_big(request: Request, caller: AgentOrAbove) -> int:
    return len(await request.body())


@router.post("/conflict")
async def conflict(caller: AgentOrAbove) -> None:
    raise Conflict("a closed ticket cannot be pending", allowed=["open"])


@router.post("/stale")
async def stale(caller: AgentOrAbove) -> None:
    raise PreconditionFailed(current='"7"')


@router.get("/slow-question")
async def slow_question(caller: AgentOrAbove) -> None:
    raise asyncpg.QueryCanceledError("canceling statement due to statement timeout")


@router.get("/duplicate")
async def duplicate(caller: AgentOrAbove) -> None:
    raise asyncpg.UniqueViolationError('duplicate key value violates unique constraint "people_email"')


@router.get("/away")
async def away(caller: AgentOrAbove) -> None:
    raise ConnectionRefusedError("connect call failed ('10.0.0.7', 5432)")


@router.get("/crash")
async def crash(caller: AgentOrAbove) -> None:
    raise KeyError("secret detail")


@dataclass
class Door:
    """The application and what decides who may enter."""

    tokens: Tokens = field(default_factory=lambda: Tokens("t" * 32))
    revoked: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    checks: Checks = field(default_factory=Checks)
    metrics: Metrics = field(default_factory=lambda: Metrics("things", "1.2.3"))
    rate_limit: RateLimit | None = None

    async def is_revoked(self, jti: str) -> bool:
        return jti in self.revoked

    async def is_active(self, agent: str) -> bool:
        return agent not in self.gone

    def build(self) -> FastAPI:
        access = Access(self.tokens, self.is_revoked, self.is_active, self.rate_limit)
        return build_app(
            "things", "1.2.3", [router], access=access, metrics=self.metrics, checks=self.checks, limits=LIMITS
        )

    def token(self, role: Role = Role.AGENT, *, subject: str = "mia", agent: str | None = None) -> str:
        return self.tokens.issue(subject, role, real_now(), agent=agent, lifetime=timedelta(hours=1))


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
async def client(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to the application as an agent."""
    transport = httpx.ASGITransport(door.build(), raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {door.token()}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://things", headers=headers) as client:
        yield client


async def until(condition: asyncio.Event) -> None:
    """Wait for what has to happen soon."""
    async with asyncio.timeout(10):
        await condition.wait()
