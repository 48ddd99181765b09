"""The next mail server of the system under test, which can be made to hesitate."""

import asyncio
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from signalbox.spool import Spool


class Trap:
    """Holds the answer to one mail: it is stored, but nobody has said 250.

    by_hand: waits for one that a person wrote; that one will be sent again, others will not (decisions 20).
    """

    def __init__(self, by_hand: bool) -> None:
        self.by_hand = by_hand
        self.caught = asyncio.Event()
        self.opened = asyncio.Event()


class HesitantSpool(Spool):
    """Stores mails as ever; while a trap is set, the next one is stored and not answered until the trap is opened."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._trap: Trap | None = None

    def set_trap(self, *, by_hand: bool) -> Trap:
        """For the next mail of that kind."""
        self._trap = Trap(by_hand)
        return self._trap

    def disarm(self, trap: Trap) -> None:
        """Nobody is caught any more, and whoever was is let go."""
        if self._trap is trap:
            self._trap = None
        trap.opened.set()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Store, hesitate, answer."""
        answer = await super().handle_DATA(server, session, envelope)
        trap = self._trap
        if trap is not None and trap.by_hand is not _is_automatic(envelope):
            self._trap = None
            trap.caught.set()
            await trap.opened.wait()
        return answer


def _is_automatic(envelope: Envelope) -> bool:
    content = envelope.content
    assert isinstance(content, bytes)
    return b"Auto-Submitted: auto" in content
