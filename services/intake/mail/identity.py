"""The identity of a mail: one mail by two routes is one, two mails with one Message-ID are two (decisions 17)."""

from hashlib import sha256

from services.intake.mail.message import Mail

ASCII_BLANKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f"


def mail_identity(mail: Mail) -> str:
    """SHA-256 in hex over Message-ID, From, Date, Subject, decoded body and attachment hashes (behaviour E-2).

    The mailbox, Received and Return-Path are no part of it: they differ by route. White space is none either: relays
    change it.
    """
    pieces: list[bytes] = []
    for field in _fields(mail):
        content = field.encode("utf-8", "replace")
        # the length in front keeps ("ab", "c") and ("a", "bc") apart
        pieces += (len(content).to_bytes(8, "big"), content)
    return sha256(b"".join(pieces)).hexdigest()


def _fields(mail: Mail) -> list[str]:
    files = sorted(attachment.sha256 for attachment in mail.attachments)
    date = mail.date.isoformat() if mail.date else mail.headers.get("date")
    head = [mail.message_id, mail.from_.email, date, mail.subject]
    return [*head, settled(mail.text), settled(mail.html), *files]


def settled(text: str) -> str:
    """The words with a blank between each two, `" ".join(text.split())`; a list of words costs ten times as much."""
    if not text.isascii():
        return " ".join(text.split())
    for sign in ASCII_BLANKS:
        text = text.replace(sign, " ")
    while "  " in text:
        text = text.replace("  ", " ")
    return text.strip(" ")


def synthetic_message_id(identity: str) -> str:
    """The Message-ID of a mail that came without one, or with one that another mail has: the same for the same mail."""
    return f"x.{identity[:40]}@no-message-id.invalid"
