"""The SMTP and LMTP doors: they say 250 when a mail is safe, and never before (behaviour E-1)."""

import asyncio
import re
import socket
import ssl
from dataclasses import dataclass
from typing import Any

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP

from libs.chassis.errors import Fault, SettingsError
from libs.chassis.resources import Resources
from libs.chassis.settings import variable
from services.intake.acceptance import Acceptance, Incoming, NotStored
from services.intake.configuration import IntakeConfiguration

log = structlog.get_logger(__name__)

PLAIN_PATH = re.compile(r"\s*<([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255})>(.*)", re.DOTALL)
NULL_PATH = "<>"
LINE_END, STOP, END = b"\r\n", b".\r\n", b"\r\n.\r\n"
LONGEST_LINE = 1024 * 1024
MOST_RECIPIENTS = 100
BACKLOG = 1024
IDLE_SECONDS = 300.0
LEAVING_SECONDS = 5.0
BUSY = b"421 4.3.2 too many connections, come again later\r\n"


class Session(SMTP):
    """One connection of a client, counted."""

    # senders do write lines far over RFC 5321's limit; refusing them would lose their mail
    line_length_limit = LONGEST_LINE
    door = "smtp"
    open_sessions: set["Session"]
    most_sessions: int

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected, or a connected one has begun TLS."""
        is_new = self not in self.open_sessions
        if is_new and len(self.open_sessions) >= self.most_sessions and isinstance(transport, asyncio.Transport):
            transport.write(BUSY)
            transport.close()
            return
        self.open_sessions.add(self)
        super().connection_made(transport)

    async def smtp_DATA(self, arg: str) -> None:
        """Read a mail from one full stop at a line's end to the next, not line by line: a third of the cost."""
        if await self.check_helo_needed():
            return
        if self.envelope is None or not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 RCPT comes first")
            return
        if arg:
            await self.push("501 5.5.4 DATA has no argument")
            return
        await self.push("354 end with <CR><LF>.<CR><LF>")
        content = await self._read_mail(self.data_size_limit or 0)
        self.envelope.content = self.envelope.original_content = content
        if content is None:
            answer = "552 5.3.4 larger than this server takes"
        else:
            answer = await self.event_handler.handle_DATA(self, self.session, self.envelope)
        recipients = len(self.envelope.rcpt_tos)
        self.envelope = self._create_envelope()
        await self.answer_mail(answer, recipients)

    async def answer_mail(self, answer: str, recipients: int) -> None:
        """One answer for the whole mail."""
        await self.push(answer)

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """The address of a path and what follows it; the library's way costs half of a mail and gets only the rest."""
        plain = PLAIN_PATH.fullmatch(arg)
        return (plain[1], plain[2].lstrip()) if plain else super()._getaddr(arg)

    async def _read_mail(self, limit: int) -> bytes | None:
        """The mail without its dots for transparency; None if it is larger than the limit: then it is only read."""
        # as if the line of the command were the first of the mail: its end may be the beginning of the end
        data, size = bytearray(LINE_END), 0
        while not data.endswith(END):
            try:
                chunk = await self._reader.readuntil(STOP)
            except asyncio.LimitOverrunError as more:
                chunk = await self._reader.readexactly(more.consumed)
            size += len(chunk)
            data += chunk
            if size > limit + len(END):
                del data[: -len(END)]
        return None if size > limit + len(END) else bytes(data[:-3].replace(b"\r\n.", b"\r\n")[2:])

    def connection_lost(self, error: Exception | None) -> None:
        """A client left."""
        if self in self.open_sessions:
            self.open_sessions.discard(self)
            super().connection_lost(error)


class LmtpSession(LMTP, Session):
    """One connection of a mail server that keeps no queue for us: an answer for each recipient (RFC 2033)."""

    door = "lmtp"

    async def answer_mail(self, answer: str, recipients: int) -> None:
        """A mail is stored once, for all or for none."""
        await self.push("\r\n".join([answer] * recipients))


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
