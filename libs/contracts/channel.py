"""Where an event travels: the NATS subjects of a type and the stream that captures them."""

from dataclasses import dataclass
from typing import Self

from libs.contracts.catalogue import STREAMS, Stream
from libs.contracts.event import SUBJECT_PREFIX, About, Event, Speaker

AGENTS = "agents"
"""First token of what sources say about agents (decisions 31)."""


@dataclass(frozen=True, slots=True)
class Channel:
    """The subjects `<prefix>.<token>.<name>` of one event type; `parameter` tells what the token is."""

    prefix: str
    parameter: str
    name: str

    @classmethod
    def of(cls, event: type[Event]) -> Self:
        """Facts have the partition of what they are about as their token, events of sources the source."""
        if event.SPEAKER is not Speaker.SOURCE:
            return cls(SUBJECT_PREFIX[event.SPEAKER], "partition", event.NAME)
        return cls(AGENTS if event.ABOUT is About.AGENT else SUBJECT_PREFIX[Speaker.SOURCE], "source", event.NAME)

    @property
    def address(self) -> str:
        """The subject with its parameter in braces, e.g. `tickets.{partition}.opened`."""
        return self.subject(f"{{{self.parameter}}}")

    def subject(self, token: str) -> str:
        """The subject for one partition or source."""
        return f"{self.prefix}.{token}.{self.name}"

    @property
    def stream(self) -> Stream:
        """The stream that captures the channel."""
        return next(stream for stream in STREAMS if f"{self.prefix}.>" in stream.subjects)
