"""A mail of the examples, ready to be delivered."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from email import policy
from email.parser import BytesHeaderParser
from email.utils import getaddresses, parseaddr
from pathlib import Path

PLACEHOLDER = re.compile(rb"\{\{ *outbox\.([a-z0-9-]+)\.(message_id|subject) *\}\}")

Lookup = Callable[[str, str], str]
"""Example and field → what the newest mail to that example's customer has there."""


@dataclass(frozen=True, slots=True)
class Letter:
    """Bytes with their envelope. sender: empty for mail that must not be answered."""

    raw: bytes
    sender: str
    recipients: list[str]
    message_id: str
    author: str
    subject: str


def examples_in(path: Path) -> set[str]:
    """The examples that a mail file refers to."""
    return {match[1].decode() for match in PLACEHOLDER.finditer(path.read_bytes())}


def read_letter(path: Path, lookup: Lookup) -> Letter:
    """A mail file, its placeholders filled; lines end in CRLF, as SMTP wants them."""
    found = PLACEHOLDER.sub(lambda match: lookup(match[1].decode(), match[2].decode()).encode(), path.read_bytes())
    raw = b"\r\n".join(found.replace(b"\r\n", b"\n").split(b"\n"))
    headers = BytesHeaderParser(policy=policy.default).parsebytes(raw)
    envelope = headers.get("Return-Path", headers.get("From", ""))
    return Letter(
        raw=raw,
        sender=parseaddr(str(envelope))[1],
        recipients=[address for _, address in getaddresses([str(headers.get("To", ""))])],
        message_id=str(headers.get("Message-ID", "")).strip("<> "),
        author=parseaddr(str(headers.get("From", "")))[1].lower(),
        subject=str(headers.get("Subject", "")).strip(),
    )
