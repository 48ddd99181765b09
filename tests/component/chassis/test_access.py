"""Nobody passes without a token that is valid, not revoked, and of a role that the route is open to."""

from datetime import timedelta
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends

from libs.chassis.clock import real_now
from libs.chassis.errors import UnguardedRoute
from libs.chassis.http import build_app
from libs.chassis.rate_limit import RateLimit
from libs.chassis.tokens import Access, Caller, Role, authenticated
from tests.component.chassis.conftest import Door

OPEN_TO = {
    "agents": {Role.AGENT, Role.LEAD, Role.ADMIN},
    "leads": {Role.LEAD, Role.ADMIN},
    "admins": {Role.ADMIN},
    "system": {Role.SYSTEM},
    "open": set(Role),
}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", OPEN_TO)
async def test_the_matrix_of_routes_and_roles(client: httpx.AsyncClient, door: Door, route: str, role: Role) -> None:
    answer = await client.get(f"/v1/things/{route}", headers=bearer(door.token(role)))

    assert answer.status_code == (200 if role in OPEN_TO[route] else 403)


@pytest.mark.parametrize("route", OPEN_TO)
async def test_without_a_token_only_what_is_meant_to_be_open(client: httpx.AsyncClient, route: str) -> None:
    del client.headers["Authorization"]

    answer = await client.get(f"/v1/things/{route}")

    if route == "open":
        assert answer.json() == "welcome"
    else:
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json()["type"] == "urn:signalbox:problem:unauthorized"


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic bWlhOng=", "Bearer", "nonsense", ""])
async def test_what_is_no_token_is_refused(client: httpx.AsyncClient, header: str) -> None:
    assert (await client.get("/v1/things/agents", headers={"Authorization": header})).status_code == 401


async def test_an_expired_token_is_refused_by_real_time(client: httpx.AsyncClient, door: Door) -> None:
    old = door.tokens.issue("mia", Role.ADMIN, real_now() - timedelta(hours=2), lifetime=timedelta(hours=1))

    answer = await client.get("/v1/things/agents", headers=bearer(old))

    assert (answer.status_code, answer.json()["detail"]) == (401, "this token has expired")


async def test_a_revoked_token_is_refused_and_another_of_the_same_person_is_not(
    client: httpx.AsyncClient, door: Door
) -> None:
    stolen, fresh = door.token(), door.token()
    door.revoked.add(door.tokens.verify(stolen, real_now()).jti)

    assert (await client.get("/v1/things/agents", headers=bearer(stolen))).status_code == 401
    assert (await client.get("/v1/things/agents", headers=bearer(fresh))).status_code == 200


async def test_an_agent_who_left_is_refused_whatever_the_role(client: httpx.AsyncClient, door: Door) -> None:
    token = door.token(Role.ADMIN, agent="mia")
    assert (await client.get("/v1/things/agents", headers=bearer(token))).status_code == 200

    door.gone.add("mia")

    assert (await client.get("/v1/things/agents", headers=bearer(token))).status_code == 401


async def test_I3_a_caller_that_is_too_quick_is_told_when_to_come_back(door: Door) -> None:
    door.rate_limit = RateLimit(per_second=0.01, burst=2)
    transport = httpx.ASGITransport(door.build())
    async with httpx.AsyncClient(transport=transport, base_url="http://things") as client:
        mia, tom = bearer(door.token(subject="mia")), bearer(door.token(subject="tom"))
        answers = [await client.get("/v1/things/agents", headers=mia) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert 90 <= int(answers[2].headers["Retry-After"]) <= 100
        assert (await client.get("/v1/things/agents", headers=tom)).status_code == 200


def forgotten() -> APIRouter:
    router = APIRouter()
    router.add_api_route("/v1/forgotten", lambda: None)
    return router


def only_authenticated() -> APIRouter:
    """To know who calls is not yet to say who may."""
    router = APIRouter()

    @router.get("/v1/forgotten")
    async def route(caller: Annotated[Caller, Depends(authenticated)]) -> None: ...

    return router


def nested() -> APIRouter:
    router = APIRouter()
    router.include_router(forgotten())
    return router


@pytest.mark.parametrize("router", [forgotten(), only_authenticated(), nested()])
def test_an_application_with_an_unguarded_route_is_not_built(door: Door, router: APIRouter) -> None:
    with pytest.raises(UnguardedRoute, match="/v1/forgotten"):
        build_app("things", "1", [router], access=Access(door.tokens), metrics=door.metrics)
