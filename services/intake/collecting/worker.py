"""Polls every mailbox that mail.yaml names, each on one replica at a time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from prometheus_client import Counter, Gauge
from pydantic_core import from_json

from libs.chassis.database import DATABASE_TROUBLE
from libs.chassis.leases import Lease, Leased
from libs.chassis.pause import pause
from libs.chassis.resources import Resources
from services.intake.acceptance import Arrivals
from services.intake.collecting.box import BOX_TROUBLE, Box
from services.intake.collecting.collector import Collector
from services.intake.collecting.imap import ImapBox
from services.intake.collecting.maildir import MaildirBox
from services.intake.mail_sources import MailSource
from services.intake.settings import IntakeSettings

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0


class NoPassword(OSError):
    """SIGNALBOX_IMAP_PASSWORDS has no password for this source."""


@dataclass(frozen=True, slots=True)
class Running:
    """A mailbox that is polled. over: set to end it."""

    source: MailSource
    over: asyncio.Event
    task: "asyncio.Task[None]"


class Collecting:
    """Follows the configuration: mailboxes come, change and go while it runs."""

    def __init__(self, came: Arrivals) -> None:
        self._came = came
        self._running: dict[str, Running] = {}
        self._metrics: CollectingMetrics | None = None

    async def run(self, resources: Resources, over: asyncio.Event) -> None:
        """The worker."""
        metrics = self._metrics = self._metrics or CollectingMetrics(resources)
        while not over.is_set():
            wanted = _sources(resources)
            for name in [name for name, each in self._running.items() if each.source != wanted.get(name)]:
                await self._end(name)
            for name in wanted.keys() - self._running.keys():
                self._begin(name, wanted[name], resources, metrics)
            await pause(over, LOOK_SECONDS)
            for each in self._running.values():
                if each.task.done():
                    each.task.result()
        for name in list(self._running):
            await self._end(name)

    def _begin(self, name: str, source: MailSource, resources: Resources, metrics: "CollectingMetrics") -> None:
        mailbox = Mailbox(name, source, resources, metrics, self._came)
        lease = Lease(resources.database, f"mailbox-{name}", resources.settings.holder)
        over = asyncio.Event()
        task = asyncio.ensure_future(Leased(lease, mailbox.keep_polling).run(over))
        self._running[name] = Running(source, over, task)

    async def _end(self, name: str) -> None:
        ending = self._running.pop(name)
        ending.over.set()
        await ending.task


class Mailbox:
    """One mailbox, polled while this process holds its lease."""

    def __init__(
        self, name: str, source: MailSource, resources: Resources, metrics: "CollectingMetrics", came: Arrivals
    ) -> None:
        self._name, self._source, self._resources = name, source, resources
        self._metrics, self._came = metrics, came

    async def keep_polling(self, over: asyncio.Event) -> None:
        """Until it is over; trouble is told and tried again at the next poll."""
        collector: Collector | None = None
        while not over.is_set():
            try:
                collector = collector or self._collector()
                self._metrics.polled(self._name, await collector.poll(self._resources, over))
            except (*BOX_TROUBLE, *DATABASE_TROUBLE) as trouble:
                if collector is not None:
                    collector.hang_up()
                if not over.is_set():
                    self._metrics.trouble.labels(self._name).inc()
                    log.warning("a mailbox cannot be read", source=self._name, reason=str(trouble))
            await pause(over, self._source.every_seconds)
        if collector is not None:
            collector.close()

    def _collector(self) -> Collector:
        return Collector(self._name, self._source, self._box(), self._came)

    def _box(self) -> Box:
        if self._source.imap is None:
            return MaildirBox(self._source)
        passwords = _passwords(self._resources)
        if self._name not in passwords:
            raise NoPassword(f"SIGNALBOX_IMAP_PASSWORDS has none for {self._name}")
        return ImapBox(self._source, passwords[self._name])


class CollectingMetrics:
    """What operators watch of mailboxes."""

    def __init__(self, resources: Resources) -> None:
        registry = resources.metrics.registry
        self._now: Callable[[], float] = lambda: resources.clock.now().timestamp()
        self._collected = Counter(
            "signalbox_mails_collected_total", "Mails stored from a mailbox", ["source"], registry=registry
        )
        self.trouble = Counter(
            "signalbox_mailbox_trouble_total", "Polls of a mailbox that failed", ["source"], registry=registry
        )
        self._last = Gauge(
            "signalbox_mailbox_last_polled_timestamp_seconds",
            "When a mailbox was last polled to its end",
            ["source"],
            registry=registry,
        )

    def polled(self, name: str, mails: int) -> None:
        """A poll came to its end."""
        self._collected.labels(name).inc(mails)
        self._last.labels(name).set(self._now())


def _sources(resources: Resources) -> dict[str, MailSource]:
    if not resources.configuration.ready:
        return {}
    sources: dict[str, MailSource] = resources.configuration.current.parsed.mail.sources
    return sources


def _passwords(resources: Resources) -> dict[str, str]:
    settings = resources.settings
    if not isinstance(settings, IntakeSettings) or settings.imap_passwords is None:
        return {}
    found: dict[str, str] = from_json(settings.imap_passwords.get_secret_value())
    return found
