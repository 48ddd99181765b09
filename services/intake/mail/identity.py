"""The identity of a mail: one mail by two routes is one, two mails with one Message-ID are two (decisions 17)."""

from hashlib import sha256

from services.intake.mail.message import Mail


def mail_identity(mail: Mail) -> str:
    """SHA-256 in hex over Message-ID, From, Date, Subject, decoded body and attachment hashes (behaviour E-2).

    The mailbox, Received and Return-Path are no part of it: they differ by route. White space is none either: relays
    change it.
    """
    digest = sha256()
    for field in _fields(mail):
        content = field.encode("utf-8", "replace")
        # the length in front keeps ("ab", "c") and ("a", "bc") apart
        digest.update(len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.hexdigest()


def _fields(mail: Mail) -> list[str]:
    files = sorted(attachment.sha256 for attachment in mail.attachments)
    date = mail.date.isoformat() if mail.date else mail.headers.get("date")
    head = [mail.message_id, mail.from_.email, date, mail.subject]
    return [*head, _settled(mail.text), _settled(mail.html), *files]


def _settled(text: str) -> str:
    return " ".join(text.split())


def synthetic_message_id(identity: str) -> str:
    """The Message-ID of a mail that came without one, or with one that another mail has: the same for the same mail."""
    return f"x.{identity[:40]}@no-message-id.invalid"
