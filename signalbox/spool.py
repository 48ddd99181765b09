"""The mail server of the embedded stack: it keeps what services send in a folder and delivers nothing.

One mail is one file, in the form a mailbox gets it: `Return-Path` and `Delivered-To` say what the envelope said, the
rest is the mail as it was sent. A mail is on disk before it is acknowledged.
"""

import asyncio
import itertools
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, Envelope, Session

LOOPBACK = "127.0.0.1"
MAX_BYTES = 50 * 1024 * 1024
TAKEN = "250 OK"


class Spool:
    """An SMTP server on a free port of the loopback interface that stores each mail as one .eml file in `folder`."""

    def __init__(self, folder: Path, host: str = LOOPBACK, port: int = 0) -> None:
        """port: 0 takes a free one."""
        self.folder, self.host, self.port = folder, host, port
        self._server: asyncio.Server | None = None
        self._numbers = itertools.count(1)
        self._connections: WeakSet[SMTP] = WeakSet()

    @property
    def url(self) -> str:
        """For SIGNALBOX_SMTP_URL, once it runs."""
        return f"smtp://{self.host}:{self.port}"

    async def start(self) -> None:
        """Listen; after a stop on the same port again. OSError when somebody took it meanwhile."""
        self.folder.mkdir(parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hang up; what was acknowledged is on disk."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            if isinstance(connection.transport, asyncio.Transport):
                connection.transport.abort()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Store the mail, then say 250."""
        name = f"{time.time_ns():020d}-{os.getpid()}-{next(self._numbers)}.eml"
        content = envelope.content or b""
        raw = content.encode() if isinstance(content, str) else content
        traces = _traces(envelope.mail_from or "", envelope.rcpt_tos)
        await asyncio.to_thread(_store, self.folder, name, traces + raw)
        return TAKEN

    def _connection(self) -> asyncio.Protocol:
        connection = SMTP(
            self, hostname="localhost", ident="signalbox spool", data_size_limit=MAX_BYTES, enable_SMTPUTF8=True
        )
        self._connections.add(connection)
        protocol: asyncio.Protocol = connection
        return protocol


@dataclass(frozen=True, slots=True)
class SpooledMail:
    """One mail of the spool. Ids are without angle brackets; `sender` and `recipients` are the envelope's."""

    file: str
    stored_at: datetime
    sender: str
    recipients: Sequence[str]
    to: str
    subject: str
    message_id: str
    in_reply_to: str | None
    references: Sequence[str]
    automatic: bool
    text: str

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "stored_at": self.stored_at.isoformat().replace("+00:00", "Z")}


def read_spool(folder: Path) -> Iterator[SpooledMail]:
    """What is in the folder, oldest first; nothing if there is no such folder."""
    for path in sorted(folder.glob("*.eml")):
        yield read_mail(path)


def read_mail(path: Path) -> SpooledMail:
    """One file of the spool."""
    mail = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("plain", "html"))
    replied = _ids(mail, "In-Reply-To")
    return SpooledMail(
        file=path.name,
        stored_at=datetime.fromtimestamp(int(path.name.partition("-")[0]) / 1e9, UTC),
        sender=_header(mail, "Return-Path").strip("<>"),
        recipients=tuple(str(value) for value in mail.get_all("Delivered-To", [])),
        to=_header(mail, "To"),
        subject=_header(mail, "Subject"),
        message_id=_header(mail, "Message-ID").strip("<>"),
        in_reply_to=replied[0] if replied else None,
        references=_ids(mail, "References"),
        automatic=_header(mail, "Auto-Submitted").lower() not in ("", "no"),
        text="" if body is None else body.get_content(),
    )


def _header(mail: EmailMessage, name: str) -> str:
    return str(mail.get(name, "")).strip()


def _ids(mail: EmailMessage, name: str) -> tuple[str, ...]:
    return tuple(identity.strip("<>") for identity in _header(mail, name).split())


def _traces(sender: str, recipients: Sequence[str]) -> bytes:
    lines = [f"Return-Path: <{sender}>", *(f"Delivered-To: {recipient}" for recipient in recipients)]
    return "".join(f"{line}\r\n" for line in lines).encode()


def _store(folder: Path, name: str, raw: bytes) -> None:
    """The whole file or none, and there after a power cut."""
    unfinished = folder / f"{name}.part"
    with unfinished.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(folder / name)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
