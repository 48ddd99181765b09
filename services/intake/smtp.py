"""The SMTP and LMTP doors: they say 250 when a mail is safe, and never before (behaviour E-1)."""

import asyncio
import socket
import ssl
from dataclasses import dataclass
from typing import Any

import structlog

from libs.chassis.errors import Fault, SettingsError
from libs.chassis.resources import Resources
from libs.chassis.settings import variable
from services.intake.acceptance import Acceptance, Incoming, NotStored
from services.intake.configuration import IntakeConfiguration
from services.intake.smtp_session import Session

log = structlog.get_logger(__name__)

NULL_PATH = "<>"
MOST_RECIPIENTS = 100
BACKLOG = 1024
IDLE_SECONDS = 300.0
LEAVING_SECONDS = 5.0


class Handler:
    """What aiosmtpd asks for each command."""

    def __init__(self, acceptance: Acceptance, resources: Resources) -> None:
        self._acceptance, self._resources = acceptance, resources

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """Commands may come without waiting for answers (RFC 2920): they are read one after the other anyway."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        """Every address is taken: mail is forwarded here from anywhere, and goes nowhere else from here."""
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """The answer to a whole mail."""
        raw: bytes = envelope.original_content
        if has_bare_line_ends(raw):
            # what some take for the end of a line and others do not is how mails are smuggled
            return "550 5.6.0 a line ends in a bare CR or LF"
        sender = "" if envelope.mail_from == NULL_PATH else envelope.mail_from
        mail = Incoming(raw, server.door, sender, tuple(envelope.rcpt_tos))
        try:
            receipt = await self._acceptance.accept(self._resources, mail)
        except NotStored as reason:
            log.warning("mail not taken in", reason=str(reason))
            return "451 4.3.0 it cannot be stored at the moment, come again"
        return f"250 2.0.0 OK {receipt}"


def has_bare_line_ends(raw: bytes) -> bool:
    """Whether a CR or LF stands alone."""
    ends = raw.count(b"\r\n")
    return raw.count(b"\n") != ends or raw.count(b"\r") != ends


@dataclass(frozen=True, slots=True)
class DoorOptions:
    """tls: for STARTTLS, if it is offered; requires_tls: nothing is taken without it. connections: at once."""

    host: str
    port: int
    session: type[Session] = Session
    connections: int = 200
    tls: ssl.SSLContext | None = None
    requires_tls: bool = False


class Door:
    """Listens until it is over; then sessions have 5 s to finish what they are doing.

    The port is bound at once; clients wait in the socket's queue until the worker runs. SettingsError if it is taken.
    """

    def __init__(self, acceptance: Acceptance, options: DoorOptions) -> None:
        self._acceptance, self._options = acceptance, options
        self._sessions: set[Session] = set()
        host, port = options.host, options.port
        try:
            self._listener = socket.create_server((host, port), backlog=BACKLOG)
        except OSError as error:
            reason = f"cannot listen on {host}:{port}: {error.strerror}"
            name = f"{options.session.door}_port"
            raise SettingsError([Fault(variable(name), reason, "a free port, or 0")]) from error
        self.port: int = self._listener.getsockname()[1]
        """The port it listens on."""

    async def run(self, resources: Resources, over: asyncio.Event) -> None:
        """The worker."""
        loop, options = asyncio.get_running_loop(), self._options
        handler = Handler(self._acceptance, resources)

        def connected() -> Session:
            configuration: IntakeConfiguration = resources.configuration.current.parsed
            session = options.session(
                handler,
                data_size_limit=configuration.mail.max_mail,
                enable_SMTPUTF8=True,
                hostname=configuration.mail.domain,
                ident="Signalbox",
                timeout=IDLE_SECONDS,
                loop=loop,
                tls_context=options.tls,
                require_starttls=options.requires_tls,
            )
            session.open_sessions, session.most_sessions = self._sessions, options.connections
            return session

        server = await loop.create_server(connected, sock=self._listener, backlog=BACKLOG)
        log.info("listening for mail", door=options.session.door, port=self.port)
        await over.wait()
        server.close()
        await self._leave()

    async def _leave(self) -> None:
        """Let what is under way finish; a mail that was not answered comes again."""
        deadline = asyncio.get_running_loop().time() + LEAVING_SECONDS
        while any(_in_data(session) for session in self._sessions):
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(0.02)
        for session in list(self._sessions):
            if session.transport is not None:
                session.transport.close()


def _in_data(session: Session) -> bool:
    return session.envelope is not None and bool(session.envelope.rcpt_tos)
