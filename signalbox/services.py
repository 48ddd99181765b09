"""The five services by name; what they declare is imported when it is asked for."""

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from libs.contracts.event import Event, Speaker

if TYPE_CHECKING:
    from libs.chassis.service import Service

Hears = Mapping[str, Collection[type[Event]]]
"""What each service hears, by the service's name."""

SERVICES: dict[str, Speaker | None] = {
    "intake": Speaker.INTAKE,
    "router": Speaker.ROUTER,
    "sla": Speaker.SLA,
    "notifier": Speaker.NOTIFIER,
    "reporting": None,
}
"""Every service in the order in which facts reach them, and the speaker it is: reporting says nothing."""


def hears(service: str) -> tuple[type[Event], ...]:
    """The events that a service handles: the keys of HEARS in `services/<service>/handlers.py`."""
    return tuple(import_module(_handlers(service)).HEARS)


def installed() -> Hears:
    """What every service of this installation hears."""
    return {service: hears(service) for service in SERVICES if _is_installed(service)}


def parsers() -> dict[str, Callable[[Mapping[str, Any]], Any]]:
    """What makes each service's configuration from the files of a bundle: `parse` in `services/<service>/app.py`."""
    return {service: import_module(f"services.{service}.app").parse for service in SERVICES}


def build(service: str) -> "Service":
    """A service, configured by the environment. SettingsError names every fault."""
    app = import_module(f"services.{service}.app")
    built: Service = app.build(app.SETTINGS.read())
    return built


def _is_installed(service: str) -> bool:
    # find_spec raises where the parent package is missing
    return find_spec(f"services.{service}") is not None and find_spec(_handlers(service)) is not None


def _handlers(service: str) -> str:
    return f"services.{service}.handlers"
