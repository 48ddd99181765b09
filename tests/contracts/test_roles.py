"""Who may call what: the whole matrix of routes and roles of every service, against docs/roles.md (decisions 16)."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from libs.chassis.clock import real_now
from libs.chassis.tokens import Access, Role, Tokens
from signalbox.applications import application
from signalbox.services import SERVICES
from tests.contracts.role_page import ANYONE, Entry, of_service

TOKENS = Tokens("a secret of at least thirty-two bytes")
METHODS = {"get", "put", "post", "patch", "delete"}
REFUSED = (401, 403)


def served(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, operations in document["paths"].items():
        for method in METHODS & operations.keys():
            yield method.upper(), path


def expected(service: str) -> list[Entry]:
    return list(of_service(service, speaks=SERVICES[service] is not None))


def bearer(role: Role, scopes: list[str] | None = None) -> dict[str, str]:
    token = TOKENS.issue("x", role, real_now(), agent="x", lifetime=timedelta(hours=1), scopes=scopes)
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def client(service: str) -> AsyncIterator[httpx.AsyncClient]:
    """The service without anything behind it: who passes the guard meets a fault, and that is not a refusal."""
    app = application(service, Access(TOKENS, rate_limit=None))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


async def status(client: httpx.AsyncClient, entry: Entry, headers: dict[str, str]) -> int:
    return (await client.request(entry.method, re.sub(r"\{[^}]*\}", "x", entry.path), headers=headers)).status_code


def test_D16_every_route_of_a_service_is_in_the_table_and_none_that_is_not_there(service: str) -> None:
    written = {(entry.method, entry.path) for entry in expected(service)}
    there = set(served(application(service).openapi()))
    assert not there - written, f"docs/roles.md does not say who may call these routes of {service}"
    assert not written - there, f"docs/roles.md names routes that {service} does not have"


async def test_D16_each_role_passes_where_the_table_says_and_nowhere_else(
    service: str, client: httpx.AsyncClient
) -> None:
    for entry in expected(service):
        for role in Role:
            passes = await status(client, entry, bearer(role)) not in REFUSED
            assert passes == (role in entry.roles or ANYONE in entry.who), f"{role}: {entry.method} {entry.path}"


async def test_D16_without_a_token_only_what_is_open_to_anyone(service: str, client: httpx.AsyncClient) -> None:
    for entry in expected(service):
        passes = await status(client, entry, {}) not in REFUSED
        assert passes == (ANYONE in entry.who), f"{entry.method} {entry.path}"


async def test_D16_I1_a_limited_token_passes_where_its_scopes_say(service: str, client: httpx.AsyncClient) -> None:
    for entry in expected(service):
        if ANYONE in entry.who:
            continue
        role = min(entry.roles)
        right = entry.scope.partition(":")[2]
        for scopes, passes in (([entry.scope], True), ([f"*:{right}"], True), (["others:read", "others:write"], False)):
            got = await status(client, entry, bearer(role, scopes)) not in REFUSED
            assert got == passes, f"{scopes}: {entry.method} {entry.path}"
