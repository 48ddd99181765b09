"""How a service is reached over HTTP: its routes with what every request needs, and who may use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from libs.chassis.configuration import ConfigurationHolder
from libs.chassis.health import Checks
from libs.chassis.http import Server, build_app, routers_of
from libs.chassis.rate_limit import RateLimit
from libs.chassis.resources import Resources
from libs.chassis.tokens import Access

if TYPE_CHECKING:
    from libs.chassis.service import Service


def server(service: Service, resources: Resources, checks: Checks, state: Mapping[str, Any]) -> Server:
    """The server of a service, not started yet. state: what routes find in `app.state` beside the resources."""
    app = build_app(
        service.name,
        service.version,
        routers_of(service.routers, speaks=service.speaker is not None),
        access=_access(service, resources),
        limits=service.limits,
        metrics=resources.metrics,
        checks=checks,
        state={"resources": resources, "database": resources.database, **state, **service.state},
        examples=service.examples,
    )
    return Server(app, service.settings.http_host, service.settings.http_port)


def _access(service: Service, resources: Resources) -> Access:
    async def is_revoked(jti: str) -> bool:
        return _is_revoked(jti, resources.configuration)

    limit = RateLimit(service.settings.requests_per_second, service.settings.request_burst)
    return Access(resources.tokens, is_revoked, service.is_active, limit)


def _is_revoked(jti: str, configuration: ConfigurationHolder) -> bool:
    """The bundle's file tokens.yaml lists what was revoked: `revoked: [jti, ...]`."""
    if not configuration.ready:
        return False
    listed = configuration.current.files.get("tokens.yaml") or {}
    return jti in listed.get("revoked", ())
