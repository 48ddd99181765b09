"""A token is good for one caller, for a time, and only if it was signed here."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from libs.chassis.errors import Forbidden, Unauthorized
from libs.chassis.tokens import Caller, Role, Tokens, require

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECRET = "s" * 32
TOKENS = Tokens(SECRET)
HOUR = timedelta(hours=1)


def test_a_token_names_its_caller() -> None:
    token = TOKENS.issue("mia", Role.LEAD, NOW, agent="mia", lifetime=HOUR)

    caller = TOKENS.verify(token, NOW)

    assert (caller.subject, caller.role, caller.agent) == ("mia", Role.LEAD, "mia")
    assert caller.jti != TOKENS.verify(TOKENS.issue("mia", Role.LEAD, NOW, lifetime=HOUR), NOW).jti


def test_a_token_ends_at_its_expiry_to_the_second() -> None:
    token = TOKENS.issue("mia", Role.AGENT, NOW, lifetime=HOUR)

    assert TOKENS.verify(token, NOW + HOUR - timedelta(seconds=1)).subject == "mia"
    with pytest.raises(Unauthorized, match="expired"):
        TOKENS.verify(token, NOW + HOUR)


def claims(**changes: object) -> dict[str, object]:
    whole = {"sub": "mia", "role": "agent", "jti": "1", "exp": int((NOW + HOUR).timestamp())}
    return {key: value for key, value in (whole | changes).items() if value is not None}


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="empty"),
        pytest.param("a.b.c", id="not a token"),
        pytest.param(Tokens("x" * 32).issue("mia", Role.ADMIN, NOW, lifetime=HOUR), id="another secret"),
        pytest.param(jwt.encode(claims(), None, "none"), id="no signature"),
        pytest.param(jwt.encode(claims(), SECRET * 2, "HS512"), id="another secret and algorithm"),
        pytest.param(jwt.encode(claims(role="root"), SECRET, "HS256"), id="unknown role"),
        pytest.param(jwt.encode(claims(jti=None), SECRET, "HS256"), id="no jti"),
        pytest.param(jwt.encode(claims(exp=None), SECRET, "HS256"), id="no expiry"),
        pytest.param(jwt.encode(claims(sub=None), SECRET, "HS256"), id="no subject"),
    ],
)
def test_anything_else_is_no_token(token: str) -> None:
    with pytest.raises(Unauthorized):
        TOKENS.verify(token, NOW)


@pytest.mark.parametrize(
    ("open_to", "admitted"),
    [
        ((Role.AGENT,), {Role.AGENT, Role.LEAD, Role.ADMIN}),
        ((Role.LEAD,), {Role.LEAD, Role.ADMIN}),
        ((Role.ADMIN,), {Role.ADMIN}),
        ((Role.SYSTEM,), {Role.SYSTEM}),
        ((Role.LEAD, Role.SYSTEM), {Role.LEAD, Role.ADMIN, Role.SYSTEM}),
        ((), set()),
    ],
)
def test_a_higher_role_may_what_a_lower_may_and_a_system_stands_apart(
    open_to: tuple[Role, ...], admitted: set[Role]
) -> None:
    guard = require(*open_to)
    for role in Role:
        caller = Caller("somebody", role, "1")
        if role in admitted:
            guard.check(caller, "tickets:read")
        else:
            with pytest.raises(Forbidden):
                guard.check(caller, "tickets:read")


@pytest.mark.parametrize(
    ("scopes", "passes"),
    [
        (None, True),
        (["tickets:read"], True),
        (["*:read"], True),
        (["views:read", "tickets:read"], True),
        (["tickets:write"], False),
        (["*:write"], False),
        ([], False),
    ],
)
def test_D16_a_limited_token_may_what_its_role_and_a_scope_allow(scopes: list[str] | None, passes: bool) -> None:
    caller = TOKENS.verify(TOKENS.issue("mia", Role.AGENT, NOW, lifetime=HOUR, scopes=scopes), NOW)
    if passes:
        require(Role.AGENT).check(caller, "tickets:read")
    else:
        with pytest.raises(Forbidden, match="limited to"):
            require(Role.AGENT).check(caller, "tickets:read")
    with pytest.raises(Forbidden, match="role"):
        require(Role.ADMIN).check(caller, "tickets:read")


@pytest.mark.parametrize("scope", ["tickets", "tickets:delete", "Tickets:read", ":read", "**:read"])
def test_D16_a_scope_that_nothing_has_is_refused_when_the_token_is_made(scope: str) -> None:
    with pytest.raises(ValueError, match="scope"):
        TOKENS.issue("mia", Role.AGENT, NOW, lifetime=HOUR, scopes=[scope])
