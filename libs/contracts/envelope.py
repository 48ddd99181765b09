"""The envelope of every event: CloudEvents 1.0, and how NATS carries it (CloudEvents NATS binding)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self, TypeVar

from libs.contracts.envelope_error import EnvelopeError
from libs.contracts.header_text import decode_header, encode_header
from libs.contracts.rfc3339 import format_instant, parse_instant
from libs.contracts.structured import parse_batch, parse_event, render_event

__all__ = ["JSON", "SPECVERSION", "STRUCTURED", "CloudEvent", "EnvelopeError"]

SPECVERSION = "1.0"
JSON = "application/json"
STRUCTURED = "application/cloudevents+json"
_PREFIX = "ce-"
_NAME = re.compile(r"[a-z0-9]+")
_NAMED = frozenset({"specversion", "id", "source", "type", "time", "subject", "datacontenttype"})
_PLAIN_BLOCK = re.compile(rb"NATS/1\.0(?:\r\n(?:ce-[a-z0-9]+|traceparent|Nats-Msg-Id): [!#$&-~]+)++\r\n\r\n").fullmatch
_NO_EXTENSIONS = frozenset({"data", "database64"})
_HEADERS = frozenset({*(_PREFIX + name for name in _NAMED), "traceparent", "Nats-Msg-Id"})
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One event: required attributes, optional attributes (None = absent), extensions, and the data as bytes.

    `extensions` holds every other attribute by its name, values in their canonical text. A CloudEvent that exists
    is valid; EnvelopeError names the attribute and the reason. `time` is an instant in UTC.
    """

    id: str
    source: str
    type: str
    time: datetime | None = None
    subject: str | None = None
    datacontenttype: str | None = JSON
    extensions: Mapping[str, str] = field(default_factory=dict)
    data: bytes = b""

    def __post_init__(self) -> None:
        for name, value in self._texts().items():
            _check_text(name, value)
        for name in self.extensions:
            _check_name(name)
        if self.time is not None and self.time.utcoffset() is None:
            raise EnvelopeError("time", "has no offset from UTC")

    def to_binary(self, headers: Mapping[str, str] | None = None) -> tuple[dict[str, str], bytes]:
        """Headers and payload of a NATS message in binary mode; `headers` are sent along unchanged."""
        encoded = {_PREFIX + name: encode_header(value) for name, value in self.attributes().items()}
        return {**(headers or {}), **encoded}, self.data

    def to_structured(self) -> bytes:
        """The event as one JSON document (`application/cloudevents+json`). ValueError if JSON data is not JSON."""
        return render_event(self.attributes(), self.data)

    def attributes(self) -> dict[str, str]:
        """All attributes that are present, in their canonical text."""
        time = {} if self.time is None else {"time": format_instant(self.time)}
        return {"specversion": SPECVERSION, **time, **self._texts()}

    @classmethod
    def from_message(cls, headers: Mapping[str, str] | None, payload: bytes) -> Self:
        """The event of a NATS message, in binary or structured mode; header names in any case."""
        named = {name.lower(): value for name, value in (headers or {}).items()}
        media_type = named.get("content-type", "").partition(";")[0].strip().lower()
        if media_type in ("application/cloudevents", STRUCTURED):
            return cls.from_structured(payload)
        if media_type.startswith("application/cloudevents"):
            raise EnvelopeError("content-type", f"{media_type} is not supported; {STRUCTURED} is")
        return cls._from_attributes(_decoded(named), payload)

    @classmethod
    def from_plain_headers(cls, block: bytes, payload: bytes) -> Self | None:
        """The event of a NATS message in binary mode whose header block has nothing to decode; what senders send.

        None for every other block, and for whatever may be wrong with it: `from_message` tells.
        """
        if _PLAIN_BLOCK(block) is None:
            return None
        lines = block.decode("ascii")[10:-4].split("\r\n")
        found = dict([line.split(": ", 1) for line in lines])
        try:
            if found["ce-specversion"] != SPECVERSION:
                return None
            event = _unchecked(cls, found["ce-id"], found["ce-source"], found["ce-type"], found, payload)
        except (KeyError, ValueError):
            return None
        return event if event.extensions.keys().isdisjoint(_NO_EXTENSIONS) else None

    @classmethod
    def from_structured(cls, document: bytes | str) -> Self:
        """The event of one JSON document."""
        return cls._from_attributes(*parse_event(document))

    @classmethod
    def from_batch(cls, document: bytes | str) -> list[Self]:
        """The events of one JSON document, which is an event or an array of events. A fault names its position."""
        return [cls._from_attributes(*parsed, index=index) for index, parsed in enumerate(parse_batch(document))]

    @classmethod
    def _from_attributes(cls, attributes: dict[str, str], data: bytes, index: int | None = None) -> Self:
        try:
            return cls._checked(attributes, data)
        except EnvelopeError as error:
            raise error if index is None else error.at(index) from None

    @classmethod
    def _checked(cls, attributes: dict[str, str], data: bytes) -> Self:
        for name in ("specversion", "id", "source", "type"):
            if name not in attributes:
                raise EnvelopeError(name, "is missing")
        if attributes["specversion"] != SPECVERSION:
            raise EnvelopeError("specversion", f"{attributes['specversion'][:20]!r} is not supported; 1.0 is")
        return cls(
            id=attributes["id"],
            source=attributes["source"],
            type=attributes["type"],
            time=_instant(attributes.get("time")),
            subject=attributes.get("subject"),
            datacontenttype=attributes.get("datacontenttype"),
            extensions={name: value for name, value in attributes.items() if name not in _NAMED},
            data=data,
        )

    def _texts(self) -> dict[str, str]:
        texts = {"id": self.id, "source": self.source, "type": self.type}
        if self.subject is not None:
            texts["subject"] = self.subject
        if self.datacontenttype is not None:
            texts["datacontenttype"] = self.datacontenttype
        return {**self.extensions, **texts} if self.extensions else texts


E = TypeVar("E", bound=CloudEvent)


def _unchecked(event_class: type[E], id: str, source: str, type: str, found: Mapping[str, str], payload: bytes) -> E:
    """An event of attributes that are known to be sound. ValueError for a time that is none."""
    event = event_class.__new__(event_class)
    time = found.get("ce-time")
    _set(event, "id", id)
    _set(event, "source", source)
    _set(event, "type", type)
    _set(event, "time", None if time is None else parse_instant(time))
    _set(event, "subject", found.get("ce-subject"))
    _set(event, "datacontenttype", found.get("ce-datacontenttype"))
    others = found.keys() - _HEADERS
    _set(event, "extensions", {name[len(_PREFIX) :]: found[name] for name in others} if others else {})
    _set(event, "data", payload)
    return event


_set = object.__setattr__


def _check_text(name: str, value: str) -> None:
    if not value and name in _NAMED:
        raise EnvelopeError(name, "is empty")
    if not (value.isascii() and value.isprintable()) and _FORBIDDEN.search(value):
        raise EnvelopeError(name, "contains a control character, a lone surrogate or a noncharacter")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise EnvelopeError(name[:60], "is not an attribute name: lower-case letters and digits only")
    if name in _NAMED or name in _NO_EXTENSIONS:
        raise EnvelopeError(name, "is not an extension")


def _decoded(headers: Mapping[str, str]) -> dict[str, str]:
    attributes = {}
    for header, value in headers.items():
        if header.startswith(_PREFIX):
            name = header[len(_PREFIX) :]
            try:
                attributes[name] = decode_header(value)
            except ValueError as error:
                raise EnvelopeError(name, str(error)) from None
    return attributes


def _instant(text: str | None) -> datetime | None:
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise EnvelopeError("time", str(error)) from None
