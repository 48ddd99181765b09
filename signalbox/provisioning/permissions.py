"""Who may say and hear what on NATS: least privilege, enforced by the broker.

A service publishes its own facts and pulls from its own durables; the durable carries the filter, so it cannot read
what it is not bound to. It cannot make or delete consumers, read streams directly, write the configuration, listen to
anybody's inbox or move simulated time.
"""

import re
from collections.abc import Iterable

from libs.contracts.binding import Binding, durable_name
from libs.contracts.catalogue import CONVERSATIONS, FACTS, SAID_BY_SERVICES
from libs.contracts.event import About
from libs.embedded.nats_config import NatsUser
from signalbox.provisioning.durables import SHARED
from signalbox.services import SERVICES

ADMIN, DRIVER = "admin", "driver"
SOURCES = ("chat", "shop", "ai")
"""Systems that publish conversations, unless configured otherwise."""

EVERY_BINDING = tuple(
    dict.fromkeys(
        binding
        for event in SAID_BY_SERVICES
        for binding in (Binding(event.SPEAKER, None), Binding(event.SPEAKER, event.ABOUT))
        if binding.about is not About.TICKET
    )
)
"""A service may pull from any durable that carries its own name; which there are, `migrate` decides."""

READ_CONFIGURATION = ("$JS.API.STREAM.INFO.KV_CONFIG", "$JS.API.DIRECT.GET.KV_CONFIG.$KV.CONFIG.>")
SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def users(shards: int, sources: Iterable[str] = SOURCES) -> list[NatsUser]:
    """Every user of the broker. ValueError for a source whose name is no subject token or is taken."""
    services = [service_user(service, shards) for service in SERVICES]
    return [NatsUser(ADMIN), driver_user(), *services, *(source_user(source) for source in sources)]


def service_user(service: str, shards: int) -> NatsUser:
    """A service with this many shards. `allow_responses` is for its answers to sim.tick."""
    return NatsUser(
        service,
        publish=(*_says(service), *_pulls(service, shards), *READ_CONFIGURATION),
        subscribe=(f"_INBOX.{service}.>", "watermark.*", "sim.tick"),
        allow_responses=True,
    )


def driver_user() -> NatsUser:
    """The one who moves simulated time and watches until everything is quiet (decisions 14)."""
    return NatsUser(
        DRIVER,
        publish=("sim.tick", "$JS.API.STREAM.INFO.*", "$JS.API.CONSUMER.INFO.*.*"),
        subscribe=(f"_INBOX.{DRIVER}.>", "watermark.*"),
    )


def source_user(source: str) -> NatsUser:
    """A system outside: its name is the second token of what it publishes."""
    if not SOURCE_NAME.fullmatch(source):
        raise ValueError(f"a source's name has a to z, 0 to 9, _ and - only: {source!r}")
    if source in {ADMIN, DRIVER, *SERVICES}:
        raise ValueError(f"a source cannot be called {source!r}: that is one of Signalbox' own users")
    return NatsUser(
        source,
        publish=(f"conversations.{source}.>", f"agents.{source}.>"),
        subscribe=(f"_INBOX.{source}.>",),
    )


def _says(service: str) -> tuple[str, ...]:
    speaker = SERVICES[service]
    facts = (f"{speaker.subject_prefix}.>",) if speaker else ()
    # intake's HTTP door publishes conversations for sources that do not speak NATS (decisions 5)
    posted = ("conversations.>",) if service == "intake" else ()
    return (*facts, *posted, f"watermark.{service}")


def _pulls(service: str, shards: int) -> tuple[str, ...]:
    own = [(FACTS, durable_name(service, shard, binding)) for shard in range(shards) for binding in EVERY_BINDING]
    own += [(CONVERSATIONS, durable.name) for durable in SHARED if durable.service == service]
    streams = dict.fromkeys(stream for stream, _ in own)
    rights = [right for stream, name in own for right in _pulls_from(stream, name)]
    return (*(f"$JS.API.STREAM.INFO.{stream}" for stream in streams), *rights)


def _pulls_from(stream: str, durable: str) -> tuple[str, str, str]:
    # a wildcard takes whole tokens: there is no `sla-*`
    return (
        f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}",
        f"$JS.API.CONSUMER.INFO.{stream}.{durable}",
        f"$JS.ACK.{stream}.{durable}.>",
    )
