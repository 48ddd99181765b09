"""The connection to the broker: what it does when it breaks, what it was refused, what it brings besides messages."""

from collections.abc import Callable
from typing import Any

import nats.errors
import nats.js.errors
import structlog
from faststream.security import SASLPlaintext

from libs.chassis.configuration import BUCKET, KEY, Bundle, ConfigurationHolder
from libs.chassis.metrics import Metrics
from libs.chassis.settings import Settings
from libs.chassis.wire import Broker, Wire, connection_options

log = structlog.get_logger(__name__)


class Connection:
    """What happens on the connection of one process. Never gives up; a refusal by the broker makes it unready."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self.wire: Wire | None = None
        self._refused: str | None = None
        self._reconnected: list[Callable[[], None]] = []

    def on_reconnect(self, call: Callable[[], None]) -> Callable[[], None]:
        """Have `call` called after every reconnect; returns what undoes that."""
        self._reconnected.append(call)
        return lambda: self._reconnected.remove(call)

    async def reconnected(self) -> None:
        log.info("connected to the broker again")
        for call in list(self._reconnected):
            call()

    async def failed(self, fault: Exception) -> None:
        """nats-py's error callback: the only place where a denied publish shows."""
        text = str(fault)
        if "permissions violation" in text.lower():
            self._refused = text
            self._metrics.speaker.permission_violations.inc()
            log.error("the broker refused a subject", reason=text)
        else:
            log.debug("broker connection", reason=text or type(fault).__name__)

    async def problem(self) -> str | None:
        """Why the broker cannot be used, for readiness."""
        if self.wire is None or not self.wire.is_connected:
            return "not connected"
        return self._refused

    async def fetch_configuration(self, holder: ConfigurationHolder) -> None:
        """Offer the bundle in force to the holder, if the broker has one and can be asked."""
        if self.wire is None or not self.wire.is_connected:
            return
        try:
            bucket = await self.wire.jetstream().key_value(BUCKET)
            entry = await bucket.get(KEY)
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as missing:
            log.debug("no configuration at the broker", reason=str(missing) or type(missing).__name__)
            return
        if entry.value is not None:
            await holder.offer(Bundle.decode(entry.value))


def make_broker(settings: Settings, name: str, connection: Connection) -> Broker:
    """FastStream's broker for this service, with its own inbox prefix and identity."""
    extra: dict[str, Any] = {}
    if settings.nats_user is not None:
        password = settings.nats_password.get_secret_value() if settings.nats_password else ""
        extra["security"] = SASLPlaintext(username=settings.nats_user, password=password, use_ssl=False)
    return Broker(
        settings.nats_url,
        name=f"signalbox-{name}",
        inbox_prefix=f"_INBOX.{name}",
        error_cb=connection.failed,
        reconnected_cb=connection.reconnected,
        **connection_options(**extra),
    )
