"""What the durable consumers of a hearer deliver: one for each speaker it hears.

One durable with several filters would do, but nats-server then looks at every message of the stream with every filter:
three to four times the work of a durable with one (docs/performance.md).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from libs.contracts.event import SUBJECT_PREFIX, About, Event, Speaker


@dataclass(frozen=True, slots=True)
class Binding:
    """Everything a speaker says (about = None), or what it says about one kind of thing."""

    speaker: Speaker
    about: About | None

    @property
    def name(self) -> str:
        """The last part of the durable's name, e.g. `tickets` or `routing-agent`."""
        prefix = SUBJECT_PREFIX[self.speaker]
        return prefix if self.about is None else f"{prefix}-{self.about}"


def bindings(hears: Iterable[type[Event]]) -> list[Binding]:
    """The bindings of a hearer, by name. Who hears facts about tickets from a speaker binds all that it says."""
    kinds = {(event.SPEAKER, event.ABOUT) for event in hears}
    whole = {speaker for speaker, about in kinds if about is About.TICKET}
    bound = {Binding(speaker, None if speaker in whole else about) for speaker, about in kinds}
    return sorted(bound, key=lambda binding: binding.name)


def durable_name(service: str, shard: int, binding: Binding) -> str:
    """The durable of one shard for one binding, e.g. `sla-0-tickets`."""
    return f"{service}-{shard}-{binding.name}"
