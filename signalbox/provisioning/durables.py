"""The durable consumers: which there are, what they are called, what each delivers. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from libs.contracts.binding import bindings, durable_name
from libs.contracts.catalogue import CONVERSATIONS, FACTS, filter_subjects
from libs.contracts.event import Event


@dataclass(frozen=True, slots=True)
class Durable:
    """A durable pull consumer: its service, its stream, its name and the subjects it delivers."""

    service: str
    stream: str
    name: str
    subjects: tuple[str, ...]


SHARED = (
    Durable("intake", CONVERSATIONS, "intake-conversations", ("conversations.>",)),
    Durable("router", CONVERSATIONS, "router-agents", ("agents.>",)),
)
"""What comes from outside has no shards: every replica pulls from the same durable (decisions 5 and 31)."""


def durables(service: str, hears: Iterable[type[Event]], shards: int) -> list[Durable]:
    """All durables of one service: on FACTS one for each shard and binding, on CONVERSATIONS those it shares."""
    bound = bindings(hears)
    own = [
        Durable(service, FACTS, durable_name(service, shard, binding), tuple(filter_subjects(binding, shard, shards)))
        for shard in range(shards)
        for binding in bound
    ]
    return own + [durable for durable in SHARED if durable.service == service]


def is_shard_of(service: str, name: str) -> bool:
    """Is this the name of a shard's durable of this service, of whatever number of shards?"""
    return re.fullmatch(rf"{re.escape(service)}-\d+(-[a-z-]+)?", name) is not None
