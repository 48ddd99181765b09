"""Microseconds a mail, ours against the standard library's policies; prints JSON.

Run: python -m benchmarks.mail_parse

The standard library's runs read the same headers, text and attachments. The careful tree is ours without the Rust
parser.
"""

import email
import email.policy
import json
from collections.abc import Callable
from email.message import EmailMessage
from statistics import mean, median
from time import perf_counter
from typing import Final

from benchmarks.generated_mails import generated_mails
from services.intake.mail.automatic import subtype, suppress_autoreply
from services.intake.mail.headers import split_headers
from services.intake.mail.identity import mail_identity
from services.intake.mail.parse import parse
from services.intake.mail.parts import careful_parts
from services.intake.mail.reply import visible_reply

MAILS: Final = 1_500
ROUNDS: Final = 3
HEADERS: Final = ("From", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References")


def stdlib_default(raw: bytes) -> None:
    """`policy.default`: what the documentation recommends."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    for name in HEADERS:
        str(mail[name])
    body = mail.get_body(("plain", "html"))
    if isinstance(body, EmailMessage):
        body.get_content()
    for part in mail.iter_attachments():
        part.get_content()


def stdlib_compat32(raw: bytes) -> None:
    """The older policy, walked by hand; addresses and encoded words are left as they are."""
    mail = email.message_from_bytes(raw)
    for name in HEADERS:
        str(mail[name])
    for part in mail.walk():
        if not part.is_multipart():
            part.get_payload(decode=True)


def careful(raw: bytes) -> None:
    """Only the tree of parts, by our own splitting."""
    careful_parts(*split_headers(raw))


def whole_path(raw: bytes) -> None:
    """Everything that intake decides on a mail before it looks for the ticket."""
    mail = parse(raw)
    mail_identity(mail)
    subtype(mail)
    suppress_autoreply(mail)
    visible_reply(mail.text)


def microseconds(read: Callable[[bytes], object], mails: list[bytes]) -> float:
    """Median of the rounds."""
    rounds = []
    for _ in range(ROUNDS):
        began = perf_counter()
        for raw in mails:
            read(raw)
        rounds.append((perf_counter() - began) / len(mails) * 1e6)
    return round(median(rounds), 1)


def main() -> None:
    mails = generated_mails(MAILS)
    ways: dict[str, Callable[[bytes], object]] = {
        "stdlib policy.default": stdlib_default,
        "stdlib compat32": stdlib_compat32,
        "careful tree": careful,
        "parse": parse,
        "parse, identity, automatic, reply": whole_path,
    }
    taken = {name: microseconds(read, mails) for name, read in ways.items()}
    print(json.dumps({"mails": MAILS, "mean_bytes": round(mean(map(len, mails))), "us_per_mail": taken}))


if __name__ == "__main__":
    main()
