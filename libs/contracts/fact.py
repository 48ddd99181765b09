"""A fact as the services carry it: numbered, attributed, dated, with the state of its ticket.

On the wire a fact is a CloudEvent in binary mode; what goes beyond CloudEvents are the extensions `ce-n`, `ce-actor`,
`ce-cause`, `ce-configversion` and the header `ticket`. This module is the fast form for facts that our own services
say; `envelope` is the tolerant form for what comes from outside.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote, unquote

from libs.contracts.event import SPEAKER_OF_PREFIX, Event, Speaker
from libs.contracts.ticket_state import TicketState, decode_state

E = TypeVar("E", bound=Event, covariant=True)
V = TypeVar("V")

Wanted = Mapping[str, type[Event]]
"""The event types a hearer understands, by CloudEvents type."""

SAFE = "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"
"""Printable ASCII that needs no percent-encoding in a CloudEvents header value."""


PLAIN = re.compile("[A-Za-z0-9:/_.-]+").fullmatch
"""Our own ids and keys: the usual case, for which `quote` is 20 times too slow."""


class UnreadableFact(ValueError):
    """A message on a fact subject that is not a fact; the text names the header and the reason."""


@dataclass(eq=False)
class Fact(Generic[E]):
    """One numbered statement of a speaker about a subject; read-only by convention (a frozen one costs twice the time).

    n: consecutive from 1 for each (speaker, subject) (decisions 2). occurred_at: UTC, domain time.
    cause: id of what made the speaker say it, for a `changed` the decision applied. data: NOT_ASKED_FOR until `decode`
    has found the type among those the hearer wants.
    """

    speaker: Speaker
    subject: str
    n: int
    type: str
    occurred_at: datetime
    data: E
    actor: str | None = None
    cause: str | None = None
    config_version: int = 0
    trace: str | None = None
    state_json: bytes | None = field(default=None, repr=False)
    payload: bytes = field(default=b"", repr=False)

    def decode(self, wanted: Wanted) -> None:
        """Parse the data if its type is wanted. pydantic's ValidationError where it does not fit."""
        event = wanted.get(self.type)
        if event is not None:
            self.data = cast(E, event.model_validate_json(self.payload))

    @property
    def id(self) -> str:
        """ce-id: unique among the facts of this speaker."""
        return f"{self.subject}/{self.n}"

    @cached_property
    def ticket(self) -> TicketState:
        """State of the ticket after this fact. Only intake's facts carry it (LookupError for others)."""
        if self.state_json is None:
            raise LookupError(f"{self.type} {self.id} carries no header `ticket`")
        return TicketState.model_validate_json(self.state_json)


def fact_source(speaker: Speaker) -> str:
    """ce-source of a service's facts."""
    return f"signalbox/{speaker}"


@lru_cache(maxsize=1024)
def encode_time(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def write_headers(
    *,
    speaker: Speaker,
    type: str,
    subject: str,
    n: int,
    occurred_at: datetime,
    actor: str | None,
    cause: str | None,
    config_version: int,
    trace: str | None,
    state: str | None,
) -> bytes:
    """The NATS header block of a fact, ready for HPUB. `state` is the encoded header `ticket`."""
    source = fact_source(speaker)
    about = _encoded(subject)
    lines = [
        "NATS/1.0",
        "ce-specversion: 1.0",
        f"ce-id: {about}/{n}",
        f"ce-type: {type}",
        f"ce-source: {source}",
        f"ce-time: {encode_time(occurred_at)}",
        f"ce-subject: {about}",
        "ce-datacontenttype: application/json",
        f"ce-n: {n}",
        f"Nats-Msg-Id: {source}|{about}/{n}",
    ]
    if actor is not None:
        lines.append(f"ce-actor: {_encoded(actor)}")
    if cause is not None:
        lines.append(f"ce-cause: {_encoded(cause)}")
    if config_version:
        lines.append(f"ce-configversion: {config_version}")
    if trace is not None:
        lines.append(f"traceparent: {trace}")
    if state is not None:
        lines.append(f"ticket: {state}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def read_fact(nats_subject: str, headers: bytes, payload: bytes) -> "Fact[Event]":
    """A fact from a message of a fact stream. Its data stays unparsed until `decode`, what only some hearers look at
    (time, actor, cause, trace, the ticket's state) until it is looked at.

    Raises UnreadableFact where subject, number or type are missing or no such thing.
    """
    speaker = SPEAKER_OF_PREFIX.get(nats_subject.partition(".")[0])
    if speaker is None:
        raise UnreadableFact(f"subject {nats_subject}: no service speaks on it")
    found = _fields(headers)
    try:
        fact = ReceivedFact(speaker, _decoded(found[b"ce-subject"]), int(found[b"ce-n"]), found, payload)
        fact.type = found[b"ce-type"].decode("ascii")
    except KeyError as missing:
        raise UnreadableFact(f"header {missing.args[0].decode()}: missing") from None
    except ValueError as broken:
        raise UnreadableFact(f"headers of {nats_subject}: {broken}") from None
    if fact.n < 1:
        raise UnreadableFact(f"header ce-n: {fact.n} is below 1")
    return fact


class NotAskedFor(Event):
    """Stands for the data of an event type that this hearer does not handle."""


NOT_ASKED_FOR = NotAskedFor()


class Lazy(Generic[V]):
    """An attribute that is worked out when it is first asked for, and then kept."""

    def __init__(self, make: Callable[[Any], V]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> V:
        value = instance.__dict__[self._name] = self._make(instance)
        return value


class ReceivedFact(Fact[Event]):
    """A fact as it arrived; most hearers look at a few of its headers only, and not at the data of every type they
    follow. ValueError when what is asked is broken."""

    def __init__(self, speaker: Speaker, subject: str, n: int, found: Mapping[bytes, bytes], payload: bytes) -> None:
        self.speaker, self.subject, self.n, self.payload = speaker, subject, n, payload
        self.found = found
        self.wanted: Wanted = {}

    def decode(self, wanted: Wanted) -> None:
        """Have the data parsed, if its type is wanted, when it is looked at; that may raise ValidationError."""
        self.wanted = wanted
        self.__dict__.pop("data", None)

    data = Lazy[Event](lambda fact: _data(fact.wanted.get(fact.type), fact.payload))
    occurred_at = Lazy[datetime](lambda fact: datetime.fromisoformat(fact.found[b"ce-time"].decode("ascii")))
    actor = Lazy[str | None](lambda fact: _optional(fact.found, b"ce-actor"))
    cause = Lazy[str | None](lambda fact: _optional(fact.found, b"ce-cause"))
    config_version = Lazy[int](lambda fact: int(fact.found.get(b"ce-configversion", 0)))
    trace = Lazy[str | None](lambda fact: _optional(fact.found, b"traceparent"))
    state_json = Lazy[bytes | None](lambda fact: _state(fact.found))


def _data(event: type[Event] | None, payload: bytes) -> Event:
    return NOT_ASKED_FOR if event is None else event.model_validate_json(payload)


def _fields(headers: bytes) -> dict[bytes, bytes]:
    try:
        return dict([line.split(b": ", 1) for line in headers[10:-4].split(b"\r\n")])
    except ValueError:
        raise UnreadableFact("headers: a line without `name: value`") from None


def _optional(found: Mapping[bytes, bytes], name: bytes) -> str | None:
    value = found.get(name)
    return None if value is None else _decoded(value)


def _state(found: Mapping[bytes, bytes]) -> bytes | None:
    state = found.get(b"ticket")
    return None if state is None else decode_state(state.decode("ascii"))


def _encoded(value: str) -> str:
    return value if PLAIN(value) else quote(value, safe=SAFE)


def _decoded(value: bytes) -> str:
    text = value.decode("ascii")
    return unquote(text, errors="strict") if "%" in text else text
