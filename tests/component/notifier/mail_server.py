"""A real SMTP server that can be told to misbehave: to refuse, to hang up, to take a mail and not say so."""

import asyncio
from enum import Enum, auto
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from signalbox.spool import Spool


class Fault(Enum):
    """What happens to the next mail."""

    BUSY = auto()  # 451, not taken
    REFUSED = auto()  # 550, not taken
    VANISHED = auto()  # the connection ends before the mail was stored
    SILENT = auto()  # the mail is stored, then the connection ends without an answer


class ScriptedSpool(Spool):
    """The spool, with faults for the next mails in order."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.faults: list[Fault] = []
        self.tried = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.tried += 1
        fault = self.faults.pop(0) if self.faults else None
        if fault is Fault.BUSY:
            return "451 4.3.2 not now"
        if fault is Fault.REFUSED:
            return "550 5.7.1 <ann@example.org> not wanted"
        if fault is not Fault.VANISHED:
            answer = await super().handle_DATA(server, session, envelope)
        if fault is None:
            return answer
        assert isinstance(server.transport, asyncio.Transport)
        server.transport.abort()
        # aiosmtpd answers into the connection that is gone
        return "421 gone"


class MailServer:
    """The server of a test."""

    def __init__(self, folder: Path) -> None:
        self.spool = ScriptedSpool(folder)

    def fail(self, *faults: Fault) -> None:
        """What happens to the next mails."""
        self.spool.faults.extend(faults)
