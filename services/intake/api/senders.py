"""Who sends conversation events: a program with a token, or a source that signs (behaviour I-6)."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Query, Request
from fastapi.security import HTTPAuthorizationCredentials

from libs.chassis.clock import real_now
from libs.chassis.errors import Unauthorized
from libs.chassis.idempotency import HEADER, Asked, asked_by
from libs.chassis.tokens import Role, authenticated, bearer, require, scope_of
from libs.contracts.publisher import SOURCE_NAME
from services.intake.api.asking import Parts
from services.intake.settings import IntakeSettings

PROGRAMS = require(Role.SYSTEM, Role.ADMIN)
MESSAGE_ID = Header(
    alias="webhook-id", max_length=255, pattern=r"^[\x21-\x7e]+$", description="Standard Webhooks: id of this message"
)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent the request. source: the only one whose events it may be; None for any, by a token."""

    asked: Asked
    source: str | None = None


async def sender_of(
    request: Request,
    parts: Parts,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    source: Annotated[
        str | None, Query(pattern=f"^{SOURCE_NAME.pattern}$", description="Who signed, where there is no token")
    ] = None,
    key: Annotated[str | None, Header(alias=HEADER, description="Any text of your own; kept for 24 hours")] = None,
    message_id: Annotated[str | None, MESSAGE_ID] = None,
    timestamp: Annotated[str | None, Header(alias="webhook-timestamp", description="Seconds since 1970")] = None,
    signature: Annotated[
        str | None, Header(alias="webhook-signature", description="v1,<base64>, several by space")
    ] = None,
) -> Sender:
    """A token of a system or an admin, or the signature of the source that is named. Unauthorized (401) without.

    A signed message counts once for 24 hours: its webhook-id is its Idempotency-Key.
    """
    if signature is None:
        caller = await authenticated(request, credentials)
        PROGRAMS.check(caller, scope_of(request.method, request.url.path))
        return Sender(await asked_by(request, caller.subject, key))
    settings: IntakeSettings = parts.settings  # type: ignore[assignment]
    limit = request.app.state.access.rate_limit
    if limit is not None:
        limit.take(f"source:{source}", real_now().timestamp())
    given = {"webhook-id": message_id or "", "webhook-timestamp": timestamp or "", "webhook-signature": signature}
    if source is None or not settings.signers.signed(source, await request.body(), given):
        raise Unauthorized("the signature is not that of this source over this body, or is older than 5 minutes")
    return Sender(await asked_by(request, f"source:{source}", message_id), source)
