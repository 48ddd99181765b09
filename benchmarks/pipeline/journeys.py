"""What became of every conversation, read from the stream of facts and reporting's schema after the run."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import asyncpg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from pydantic_core import from_json

from benchmarks.pipeline.system import System
from libs.chassis.pull import Pull
from libs.chassis.wire import Frame, Wire
from libs.contracts.catalogue import FACTS
from libs.contracts.event import About, Event, about
from libs.contracts.fact import Fact, read_fact
from libs.contracts.notice import NoticeSent
from libs.contracts.routing import TicketRouted
from libs.contracts.sla import TargetsSet
from libs.contracts.ticket import TicketChanged, TicketOpened

REQUIRED = tuple(event.TYPE for event in (TicketOpened, TicketRouted, TicketChanged, TargetsSet, NoticeSent))
"""The least that is said about a ticket."""
READER = "benchmark"
PAGE = 512
TIME_TOKEN = -2
"""Where a delivered message's reply subject has the instant at which the stream stored it, in nanoseconds."""


@dataclass(slots=True)
class Journey:
    """One ticket. Instants are seconds since 1970; `facts` counts distinct facts by type."""

    ticket: str
    conversation: str | None = None
    facts: Counter[str] = field(default_factory=Counter)
    assignments: int = 0
    assigned_at: float | None = None
    counted_at: float | None = None
    _seen: set[tuple[str, int]] = field(default_factory=set)

    def hear(self, fact: Fact[Event], stored: float) -> None:
        """Take a fact in; one that was published twice counts once, as for every hearer."""
        if (fact.speaker.value, fact.n) in self._seen:
            return
        self._seen.add((fact.speaker.value, fact.n))
        self.facts[fact.type] += 1
        if fact.type == TicketOpened.TYPE:
            self.conversation = from_json(fact.payload)["conversation"]["conversation_id"]
        elif fact.type == TicketChanged.TYPE:
            assignee = from_json(fact.payload)["changes"].get("assignee")
            if assignee is not None and assignee.get("new") is not None:
                self.assignments += 1
                self.assigned_at = self.assigned_at or stored

    @property
    def complete(self) -> bool:
        """Whether everything that is required was said, an agent was found and reporting has counted it."""
        said = all(self.facts[type_] for type_ in REQUIRED)
        return said and self.assigned_at is not None and self.counted_at is not None

    @property
    def repeated(self) -> int:
        """What was done twice: opened, routed, assigned or told again."""
        once = (self.facts[TicketOpened.TYPE], self.facts[TicketRouted.TYPE], self.facts[NoticeSent.TYPE])
        return sum(max(0, count - 1) for count in (*once, self.assignments))


def stored_at(frame: Frame) -> float:
    """When the stream stored it, seconds since 1970."""
    return int(frame.reply.split(b".")[TIME_TOKEN]) / 1e9


async def read_journeys(system: System) -> list[Journey]:
    """All tickets, by what was said and what reporting had stored."""
    journeys: dict[str, Journey] = {}
    async for frame in facts(system):
        fact = read_fact(frame.subject.decode(), frame.headers, frame.payload)
        if about(fact.subject) is About.TICKET:
            journeys.setdefault(fact.subject, Journey(fact.subject)).hear(fact, stored_at(frame))
    for subject, moment in (await _counted(system)).items():
        if subject in journeys:
            journeys[subject].counted_at = moment
    return list(journeys.values())


async def facts(system: System) -> AsyncIterator[Frame]:
    """Everything that was said."""
    wire = Wire()
    await wire.connect(system.admin)
    jetstream = wire.jetstream()
    config = ConsumerConfig(name=READER, ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL, mem_storage=True)
    left = (await jetstream.add_consumer(FACTS, config)).num_pending or 0
    pull = Pull(wire, FACTS, {READER: {}}, PAGE)
    await pull.start()
    while left > 0:
        for frame in await pull.batch(1.0):
            left -= 1
            yield frame
    await jetstream.delete_consumer(FACTS, READER)
    await wire.close()


async def _counted(system: System) -> Mapping[str, float]:
    connection = await asyncpg.connect(system.postgres)
    rows = await connection.fetch(system.counted)
    await connection.close()
    return {row["subject"]: row["counted_at"].timestamp() for row in rows}
