"""A service: what is the same for all of them, composed. `Service` is the one noun that services use to exist."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from fastapi import APIRouter

from libs.chassis.body_limit import BodyLimits
from libs.chassis.events import Join, nothing_to_join
from libs.chassis.feed import Feed
from libs.chassis.hearing import Handle
from libs.chassis.logs import configure_logs
from libs.chassis.process import Process
from libs.chassis.pull import Patience
from libs.chassis.resources import Worker
from libs.chassis.settings import Settings
from libs.chassis.timers import TimerKind
from libs.chassis.tokens import everybody
from libs.contracts.binding import Binding, bindings, durable_name
from libs.contracts.event import About, Event, Speaker

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FeedSource:
    """Where a feed comes from: a stream and the durable that all replicas share.

    patience: seconds that its events may wait for others to share a batch with, by name; not on simulated time.
    """

    stream: str
    durable: str
    feed: Feed
    patience: Mapping[str, float] = field(default_factory=dict)


async def hears_nothing(facts: Sequence[Any], transaction: Any) -> None:
    """For a service without facts to hear."""


def takes_all(files: Mapping[str, Any]) -> Mapping[str, Any]:
    """For a service that has nothing to configure."""
    return files


@dataclass(frozen=True, kw_only=True)
class Service:
    """What one service is. `run` keeps these promises, whatever dies meanwhile:

    - a batch of facts is handled in one transaction and acked after its commit; each fact once, in order of n;
    - what was said in a transaction is published after its commit, never without it;
    - a timer fires once, with the facts it causes, in one transaction;
    - a message that cannot be handled is parked, its neighbours go on;
    - the database and the broker may go away and come back at any time;
    - SIGTERM finishes what is in hand and ends within 10 seconds.

    hears: the event types `handle` understands; facts it does not name are counted and otherwise ignored.
    parse: makes the service's own configuration from the files of a bundle; ValueError refuses the bundle.
    join: completes facts with personal fields when they are published (contracts `PERSONAL`).
    waits_for: the speaker whose facts can cancel this service's timers.
    patience: seconds that facts of a type may wait for others to share a batch with, where nobody waits for what
        follows from them; a batch costs far more than a fact. Not on simulated time.
    examples: a body for each request that has one, by `METHOD path`, for the OpenAPI document.
    is_active: whether an agent may still act; asked at every request, so answered from memory (decisions 16).
    """

    name: str
    version: str
    settings: Settings
    speaker: Speaker | None
    says: Sequence[type[Event]] = ()
    hears: Sequence[type[Event]] = ()
    handle: Handle = hears_nothing
    feeds: Sequence[FeedSource] = ()
    timers: Mapping[str, TimerKind] = field(default_factory=dict)
    workers: Sequence[Worker] = ()
    routers: Sequence[APIRouter] = ()
    parse: Callable[[Mapping[str, Any]], Any] = takes_all
    join: Join = nothing_to_join
    migrations: Path
    waits_for: Speaker | None = None
    patience: Mapping[type[Event], float] = field(default_factory=dict)
    limits: BodyLimits = field(default_factory=BodyLimits)
    is_active: Callable[[str], Awaitable[bool]] = everybody
    state: Mapping[str, Any] = field(default_factory=dict)
    examples: Mapping[str, Any] = field(default_factory=dict)

    @property
    def wanted(self) -> dict[str, type[Event]]:
        """The events it understands, by CloudEvents type."""
        return {event.TYPE: event for event in self.hears}

    @property
    def kinds(self) -> frozenset[tuple[Speaker, About]]:
        """Whose facts about what it hears."""
        return frozenset((event.SPEAKER, event.ABOUT) for event in self.hears)

    @property
    def durables(self) -> list[dict[str, Patience]]:
        """Its consumers on FACTS, by shard: one for each speaker it hears, with the patience its facts may have."""
        if not self.hears:
            return []
        bound = bindings(self.hears)
        return [
            {durable_name(self.name, shard, binding): self._patience_with(binding.speaker) for binding in bound}
            for shard in range(self.settings.shards)
        ]

    def _patience_with(self, speaker: Speaker) -> Patience:
        return self.patience_of({e.NAME: seconds for e, seconds in self.patience.items() if speaker == e.SPEAKER})

    def patience_of(self, seconds: Mapping[str, float]) -> Patience:
        """By the last token of a subject; nobody has any while time is simulated."""
        real = self.settings.clock != "simulated"
        return {name.encode(): patience for name, patience in seconds.items()} if real else {}

    def durables_of(self, speaker: Speaker) -> list[str]:
        """Those that bring what `speaker` says about tickets, by shard."""
        return [durable_name(self.name, shard, Binding(speaker, None)) for shard in range(self.settings.shards)]

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT."""
        configure_logs(self.name, self.settings.log_level, self.settings.log_format)
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        _collect_rarely()
        await Process(self).run(stopping)


def _collect_rarely() -> None:
    """A batch makes and drops tens of thousands of small objects without cycles; looking for cycles among them costs a
    quarter of a service's CPU. What was imported is never looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
