"""The worker that sends mail: a few lines side by side, and somebody who looks after what was left behind."""

import asyncio
from datetime import datetime

import structlog
from prometheus_client import Counter, Gauge

from libs.chassis.database import DATABASE_TROUBLE
from libs.chassis.resources import Resources
from libs.chassis.simulation import Work
from services.notifier.domain.outcome import Settlement
from services.notifier.sender.doorbell import Doorbell, first_of
from services.notifier.sender.ledger import Ledger
from services.notifier.sender.letter import Claimed
from services.notifier.sender.line import Line
from services.notifier.sender.post_office import PostOffice, Server
from services.notifier.settings import SCHEMES, NotifierSettings, credentials

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 5.0


class Sender:
    """On the replica that holds the lease `sender`; that another begins meanwhile does no harm."""

    def __init__(self, settings: NotifierSettings) -> None:
        self._settings = settings
        self.doorbell = Doorbell()
        self._outcomes = Counter(
            "signalbox_notices_total", "Mails by what became of them", ["kind", "state"], registry=None
        )
        self._waiting = Gauge("signalbox_notices_waiting", "Mails that wait", ["state"], registry=None)
        self._is_registered = False

    async def run(self, resources: Resources, over: asyncio.Event) -> None:
        """Send until it is over."""
        self._register(resources)
        ledger = Ledger(resources, self._count)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sweep(ledger, over))
            for _ in range(self._settings.smtp_connections):
                office = PostOffice(self._server(ledger))
                line = Line(ledger, office, self.doorbell, resources, self._settings.mail_key)
                group.create_task(line.run(over))

    async def left(self, resources: Resources, now: datetime) -> Work:
        """What there is to send, for simulated time."""
        return await Ledger(resources, self._count).left(now)

    async def _sweep(self, ledger: Ledger, over: asyncio.Event) -> None:
        """Recover, expire, and measure what waits."""
        while not over.is_set():
            try:
                if found := await ledger.recover():
                    log.warning("notices were left in sending", count=found)
                await ledger.expire()
                queued, sending, _ = await ledger.waiting()
                self._waiting.labels("queued").set(queued)
                self._waiting.labels("sending").set(sending)
            except DATABASE_TROUBLE as trouble:
                log.warning("nobody looks after abandoned notices", reason=str(trouble))
            await first_of(SWEEP_SECONDS, over)

    def _server(self, ledger: Ledger) -> Server:
        url = self._settings.smtp
        if url is None or url.hostname is None:
            return Server(ledger.mail.smtp.host, ledger.mail.smtp.port)
        user, password = credentials(url)
        return Server(url.hostname, url.port or SCHEMES[url.scheme], user, password, url.scheme == "smtps")

    def _count(self, notice: Claimed, settlement: Settlement) -> None:
        self._outcomes.labels(notice.kind.value, settlement.state.value).inc()

    def _register(self, resources: Resources) -> None:
        if not self._is_registered:
            self._is_registered = True
            registry = resources.metrics.registry
            registry.register(self._outcomes)
            registry.register(self._waiting)
            self.doorbell.register(registry)
