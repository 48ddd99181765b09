"""Tells the sender that something waits, from the transaction that is about to commit it."""

import asyncio

from prometheus_client import CollectorRegistry, Counter

from libs.contracts.notice import NoticeKind

STEPS = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
POLL_SECONDS = 0.5


class Doorbell:
    """Rung before a commit: whoever waits looks several times within the next half second, then at leisure."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._untold = Counter(
            "signalbox_sla_warning_undeliverable_total",
            "Notices to our own people, or answers, for which there was no address",
            ["kind"],
            registry=None,
        )

    def register(self, registry: CollectorRegistry) -> None:
        """Show what was counted."""
        registry.register(self._untold)

    def ring(self) -> None:
        """Something will be there in a moment."""
        self._rung.set()

    def undeliverable(self, kind: NoticeKind) -> None:
        """Count a notice that nobody could get (behaviour W-2)."""
        self._untold.labels(kind.value).inc()

    async def wait(self, over: asyncio.Event, looks: int) -> int:
        """Until it is time to look again; how often one has looked in vain since the bell rang."""
        if self._rung.is_set():
            self._rung.clear()
            looks = 0
        pause = STEPS[looks] if looks < len(STEPS) else POLL_SECONDS
        await first_of(pause, over, self._rung)
        return looks + 1


async def first_of(seconds: float, *events: asyncio.Event) -> None:
    """Until one of the events is set, at most this long."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
