"""Facts that count by themselves: they change nothing that is remembered of a ticket, so no ticket is loaded."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from libs.contracts.event import Event
from libs.contracts.fact import Fact
from libs.contracts.notice import NoticeFailed, NoticeSent
from libs.contracts.routing import TicketRouted
from libs.contracts.sla import SlaWarned
from services.reporting.domain.tally import Tally

Data = Mapping[str, Any]
"""The data of a fact as it travels: what has its default may be missing. A model would take three times as long."""


def routed(day: str, said: Data) -> Tally:
    """A routing decision, by its reason; `fallback` when no rule named a queue."""
    reason = "fallback" if said.get("fallback") else said.get("reason", "")
    return Tally("routed", day, reason, queue=said.get("queue") or "")


def warned(day: str, said: Data) -> Tally:
    """A warning, by metric."""
    return Tally("warned", day, said["metric"])


def sent(day: str, said: Data) -> Tally:
    """A notice that left, by kind."""
    return Tally("noticed", day, f"{said['kind']}:sent")


def failed(day: str, said: Data) -> Tally:
    """A notice that did not leave, by kind and state."""
    return Tally("noticed", day, f"{said['kind']}:{said['state']}")


COUNTS: Mapping[type[Event], Callable[[str, Data], Tally]] = {
    TicketRouted: routed,
    SlaWarned: warned,
    NoticeSent: sent,
    NoticeFailed: failed,
}
"""The tally of each fact, on the day it occurred, UTC."""


COUNTED = {event.TYPE: tally for event, tally in COUNTS.items()}


def happened(facts: Sequence[Fact[Event]]) -> Counter[Tally]:
    """What these facts, of types that count, add."""
    days = {day: day.isoformat() for day in {fact.occurred_at.date() for fact in facts}}
    return Counter([COUNTED[fact.type](days[fact.occurred_at.date()], from_json(fact.payload)) for fact in facts])
