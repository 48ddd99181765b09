"""One SMTP connection to the next mail server, kept open between mails."""

import asyncio
from dataclasses import dataclass
from time import monotonic

import aiosmtplib
import structlog

from services.notifier.domain.outcome import Attempt
from services.notifier.sender.doorbell import first_of
from services.notifier.sender.letter import Letter

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 6.0
DATA_SECONDS = 20.0
"""With the commands before it, DATA has to end before 60 s: then a notice counts as abandoned (decisions 20)."""
IDLE_SECONDS = 20.0
PAUSES = (0.25, 0.5, 1, 2, 5, 10, 30)
NO_LOGIN = 530
GOING_AWAY = 421
PERMANENT = 500

TROUBLE = (aiosmtplib.SMTPException, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Server:
    """Where the next mail server is."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    tls: bool = False


class PostOffice:
    """Connects when something is to be sent; says how each attempt ended and never raises for the server's sake."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._client: aiosmtplib.SMTP | None = None
        self._used = 0.0
        self._failures = 0

    async def is_open(self, over: asyncio.Event) -> bool:
        """Whether there is a working connection now; waits after a failure, longer each time."""
        if self._client is not None and monotonic() - self._used < IDLE_SECONDS and self._client.is_connected:
            return True
        try:
            await self._open()
        except TROUBLE as trouble:
            self.close()
            log.warning("no connection to the mail server", reason=words(trouble), host=self._server.host)
            pause = PAUSES[min(self._failures, len(PAUSES) - 1)]
            self._failures += 1
            await first_of(pause, over)
            return False
        self._failures = 0
        self._used = monotonic()
        return True

    async def _open(self) -> None:
        if self._client is not None and self._client.is_connected:
            try:
                await self._client.noop()
                return
            except TROUBLE:
                self.close()
        server = self._server
        self._client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.tls,
            start_tls=False if server.tls else None,
            timeout=COMMAND_SECONDS,
        )
        await self._client.connect(timeout=CONNECT_SECONDS)

    async def deliver(self, letter: Letter) -> tuple[Attempt, str]:
        """Hand a letter over. LOST only when the mail itself may have arrived."""
        client = self._client
        assert client is not None
        if letter.needs_smtputf8 and not client.supports_extension("smtputf8"):
            return Attempt.IMPOSSIBLE, "the mail server does not take addresses in this script"
        options = ["SMTPUTF8"] if letter.needs_smtputf8 else []
        encoding = "utf-8" if letter.needs_smtputf8 else "ascii"
        try:
            await client.mail(letter.sender, options=options, encoding=encoding)
            await client.rcpt(letter.recipient, encoding=encoding)
        except aiosmtplib.SMTPResponseException as answer:
            return await self._answered(client, answer)
        except TROUBLE as trouble:
            self.close()
            return Attempt.DEFERRED, words(trouble)
        try:
            await client.data(letter.content, timeout=DATA_SECONDS)
        except aiosmtplib.SMTPResponseException as answer:
            return await self._answered(client, answer)
        except TROUBLE as trouble:
            self.close()
            return Attempt.LOST, f"the mail server did not say whether it took the mail: {words(trouble)}"
        self._used = monotonic()
        return Attempt.ACCEPTED, ""

    async def _answered(self, client: aiosmtplib.SMTP, answer: aiosmtplib.SMTPResponseException) -> tuple[Attempt, str]:
        """A clear no: for ever, or for now."""
        if answer.code == GOING_AWAY or answer.code < 0:
            self.close()
        else:
            try:
                await client.rset()
            except TROUBLE:
                self.close()
        refused = answer.code >= PERMANENT and answer.code != NO_LOGIN
        return (Attempt.REFUSED if refused else Attempt.DEFERRED), words(answer)

    def close(self) -> None:
        """Forget the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    async def quit(self) -> None:
        """Say goodbye, briefly."""
        if self._client is not None and self._client.is_connected:
            try:
                async with asyncio.timeout(1):
                    await self._client.quit()
            except TROUBLE:
                log.debug("the mail server did not say goodbye")
        self.close()


def words(trouble: BaseException) -> str:
    """What happened, without addresses: answers of servers quote them."""
    if isinstance(trouble, aiosmtplib.SMTPResponseException):
        said = " ".join("…" if "@" in word else word for word in str(trouble.message).split())
        return f"{trouble.code} {said}"[:300]
    return type(trouble).__name__
