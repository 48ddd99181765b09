"""What every event has in common: a type, an owner, a NATS subject and the thing it is about."""

from collections.abc import Callable
from enum import StrEnum
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

from libs.contracts.partition import partition


class Speaker(StrEnum):
    """Who says an event. Services say facts; a source is any other system that publishes conversations."""

    INTAKE = "intake"
    ROUTER = "router"
    SLA = "sla"
    NOTIFIER = "notifier"
    SOURCE = "source"

    @property
    def subject_prefix(self) -> str:
        """First token of the NATS subjects this speaker may publish on; the broker enforces it."""
        return SUBJECT_PREFIX[self]


SUBJECT_PREFIX: dict[Speaker, str] = {
    Speaker.INTAKE: "tickets",
    Speaker.ROUTER: "routing",
    Speaker.SLA: "sla",
    Speaker.NOTIFIER: "notices",
    Speaker.SOURCE: "conversations",
}
SPEAKER_OF_PREFIX = {prefix: speaker for speaker, prefix in SUBJECT_PREFIX.items()}


class About(StrEnum):
    """What a fact's ce-subject names: a ticket id, `agent:<key>`, `queue:<key>`, or a conversation id."""

    TICKET = "ticket"
    AGENT = "agent"
    QUEUE = "queue"
    CONVERSATION = "conversation"


PERSONAL: JsonDict = {"personal": True}
"""`json_schema_extra` of a field that is joined when a fact is published and never kept in `events`."""


class Payload(BaseModel):
    """A part of an event's data. Unknown fields are ignored, so that fields may be added (a tolerant reader)."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_timedelta="float")


def about(subject: str) -> About:
    """What kind of thing a ce-subject names: `agent:<key>`, `queue:<key>`, else a ticket id."""
    kind, separator, _ = subject.partition(":")
    return About(kind) if separator else About.TICKET


class Event(Payload):
    """The data of one event type; instances are immutable. The decorator `event` names the type.

    TYPE is the CloudEvents type, `signalbox.<entity>.<name>.v<version>`; NAME is the last token of the NATS subject.
    """

    TYPE: ClassVar[str]
    NAME: ClassVar[str]
    SPEAKER: ClassVar[Speaker]
    ABOUT: ClassVar[About]
    VERSION: ClassVar[int]
    PERSONAL: ClassVar[frozenset[str]] = frozenset()

    def wire_json(self) -> bytes:
        """The data as it travels."""
        return self.__pydantic_serializer__.to_json(self, exclude_defaults=True)

    def stored_json(self) -> bytes:
        """The data as the append-only `events` table keeps it: without the fields marked `personal` (decisions 21)."""
        if not self.PERSONAL:
            return self.wire_json()
        return self.__pydantic_serializer__.to_json(self, exclude_defaults=True, exclude=set(self.PERSONAL))

    @classmethod
    def nats_subject(cls, subject: str) -> str:
        """The NATS subject of a fact about `subject`: `<prefix>.<partition>.<name>`."""
        return f"{SUBJECT_PREFIX[cls.SPEAKER]}.{partition(subject)}.{cls.NAME}"


def nats_subject_of(speaker: Speaker, type: str, subject: str) -> str:
    """The same from a CloudEvents type, for a fact read from the `events` table."""
    _, _, name, version = type.split(".")
    token = name if version == "v1" else f"{name}-{version}"
    return f"{SUBJECT_PREFIX[speaker]}.{partition(subject)}.{token}"


E = TypeVar("E", bound=Event)


def event(entity_and_name: str, *, speaker: Speaker, about: About, version: int = 1) -> Callable[[type[E]], type[E]]:
    """Make a class the event `signalbox.<entity_and_name>.v<version>`, e.g. `ticket.opened`."""

    def declare(cls: type[E]) -> type[E]:
        _, _, name = entity_and_name.partition(".")
        cls.TYPE = f"signalbox.{entity_and_name}.v{version}"
        cls.NAME = name if version == 1 else f"{name}-v{version}"
        cls.SPEAKER, cls.ABOUT, cls.VERSION = speaker, about, version
        cls.PERSONAL = frozenset(
            name for name, field in cls.model_fields.items() if field.json_schema_extra == PERSONAL
        )
        return cls

    return declare
