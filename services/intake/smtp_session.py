"""One SMTP or LMTP connection: aiosmtpd's protocol, where a mail costs less than in its way."""

import asyncio
import re
from collections.abc import Awaitable

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, syntax

PLAIN_PATH = re.compile(r"\s*<([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255})>(.*)", re.DOTALL)
LINE_END, STOP, END = b"\r\n", b".\r\n", b"\r\n.\r\n"
LONGEST_LINE = 1024 * 1024
ANSWERS_A_TURN = 50
MOST_HELD = 4096
MOST_REFUSED = 1000
"""In a row; so many recipients behind a MAIL that was refused are still no attack."""
BUSY = b"421 4.3.2 too many connections, come again later\r\n"
HOPELESS = b"421 4.7.0 too many refused commands\r\n"


class Session(SMTP):
    """One connection of a client, counted."""

    # senders do write lines far over RFC 5321's limit; refusing them would lose their mail
    line_length_limit = LONGEST_LINE
    door = "smtp"
    open_sessions: set["Session"]
    most_sessions: int
    held: bytearray
    """Answers that another may join, within this turn of the event loop; a few kilobytes at most."""
    holds = False
    answered = 0
    refused = 0
    """Commands in a row that were refused for good (5yz)."""
    last_heard = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected, or a connected one has begun TLS."""
        is_new = self not in self.open_sessions
        if is_new and len(self.open_sessions) >= self.most_sessions and isinstance(transport, asyncio.Transport):
            transport.write(BUSY)
            transport.close()
            return
        self.open_sessions.add(self)
        self.held = bytearray()
        super().connection_made(transport)

    async def push(self, status: str | bytes) -> None:
        """Answer; whoever sends several commands at once gets the answers in one write, which saves most of theirs.

        Others have their turn every 50 answers: reading what is here and draining what is taken at once never wait.
        """
        answer = (status.encode() if isinstance(status, str) else status) + LINE_END
        if self.holds and not self.held:
            self.loop.call_soon(self._let_go)
        self.held += answer
        if not self.holds or len(self.held) > MOST_HELD:
            self._let_go()
        self.answered += 1
        # 4yz asks to come again, as whoever names more than 100 recipients rightly does
        self.refused = self.refused + 1 if answer.startswith(b"5") else 0
        if self.refused >= MOST_REFUSED:
            self._hang_up()
        await self._writer.drain()
        if self.answered % ANSWERS_A_TURN == 0:
            await asyncio.sleep(0)

    def _let_go(self) -> None:
        if self.held:
            # a copy: TLS keeps what it is given until it is sent
            self._writer.write(bytes(self.held))
            self.held.clear()

    def _hang_up(self) -> None:
        self.held += HOPELESS
        self._let_go()
        # as QUIT does it: whatever else was sent is not looked at
        if self._handler_coroutine is not None and self.transport is not None:
            self._handler_coroutine.cancel()
            self.transport.close()

    @syntax("MAIL FROM: <address>", extended=" [SP <mail-parameters>]")
    async def smtp_MAIL(self, arg: str | None) -> None:
        """A command that others follow."""
        await self._held_back(super().smtp_MAIL(arg))

    @syntax("RCPT TO: <address>", extended=" [SP <mail-parameters>]")
    async def smtp_RCPT(self, arg: str | None) -> None:
        """A command that others follow."""
        await self._held_back(super().smtp_RCPT(arg))

    async def _held_back(self, command: Awaitable[None]) -> None:
        self.holds = True
        try:
            await command
        finally:
            self.holds = False

    def _reset_timeout(self, duration: float | None = None) -> None:
        """Note that a command came. The timer looks at that when it is over: setting it anew costs more."""
        self.last_heard = self.loop.time()
        if duration is not None or self._timeout_handle is None:
            super()._reset_timeout(duration)

    def _timeout_cb(self) -> None:
        left = self.last_heard + self._timeout_duration - self.loop.time()
        if left > 0:
            self._timeout_handle = self.loop.call_later(left, self._timeout_cb)
        elif self.transport is not None:
            self.transport.close()

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
        content = await read_mail(self._reader, self.data_size_limit or 0)
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


async def read_mail(reader: asyncio.StreamReader, limit: int) -> bytes | None:
    """The mail without its dots for transparency; None if it is larger than the limit: then it is only read."""
    # as if the line of the command were the first of the mail: its end may be the beginning of the end
    chunk = await reader.readexactly(len(STOP))
    data, size = bytearray(LINE_END + chunk), len(chunk)
    # an end that has begun within these few bytes is found line by line, any other at once
    stop = LINE_END[1:] if b"\r" in chunk else END
    while not data.endswith(END):
        try:
            chunk = await reader.readuntil(stop)
        except asyncio.LimitOverrunError as more:
            chunk = await reader.readexactly(more.consumed)
        size += len(chunk)
        data += chunk
        if size > limit + len(END):
            del data[: -len(END)]
    return None if size > limit + len(END) else bytes(data[:-3].replace(b"\r\n.", b"\r\n")[2:])
