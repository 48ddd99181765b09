"""Bytes to a mail. Never raises: what cannot be read is said in `error` (behaviour E-1, E-4)."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from services.intake.mail.addresses import Address, parse_addresses
from services.intake.mail.body import Body, sort_parts
from services.intake.mail.fast import fast_parts
from services.intake.mail.headers import Headers, split_headers
from services.intake.mail.message import NOBODY, Attachment, Mail
from services.intake.mail.parts import Part, TooComplex, careful_parts, declared_type, is_bare_text
from services.intake.mail.threading_ids import message_ids

__all__ = ["Address", "Attachment", "Headers", "Mail", "parse"]

MAX_BYTES = 64 * 1024 * 1024
MAX_ENVELOPES = 3
ENVELOPES = (b"From ", b">From ")


def parse(raw: bytes, sender: str | None = None) -> Mail:
    """The mail in `raw`, in time linear in its length. sender: the return path as the door knows it, where no server
    has written it down.
    """
    message = without_envelope(raw)
    headers, body = split_headers(message)
    if len(raw) > MAX_BYTES:
        return _mail(headers, Body(), f"larger than {MAX_BYTES} bytes", sender)
    if not message.strip():
        return _mail(headers, Body(), "empty", sender)
    try:
        parts = read_parts(message, headers, body)
    except TooComplex as reason:
        return _mail(headers, Body(), str(reason), sender)
    return _mail(headers, sort_parts(parts), None, sender)


def read_parts(message: bytes, headers: Headers, body: bytes) -> Part:
    """The tree of parts, the fast way where it does no damage. Raises TooComplex."""
    # text in one piece has nothing to be split: there the careful way is the faster one
    fast = None if headers.damaged or is_bare_text(headers, body) else fast_parts(message)
    return fast or careful_parts(headers, body)


def without_envelope(raw: bytes) -> bytes:
    """`raw` without blank lines and an mbox "From " line before the headers."""
    message = raw.lstrip(b"\r\n \t") if raw[:1] in (b"\r", b"\n") else raw
    for _ in range(MAX_ENVELOPES):
        if not message.startswith(ENVELOPES):
            break
        message = message.partition(b"\n")[2]
    return message


def _mail(headers: Headers, body: Body, error: str | None, sender: str | None) -> Mail:
    content_type, parameters = declared_type(headers)
    parents = message_ids(headers.raw("in-reply-to"))
    markup = body.html_text()
    return Mail(
        headers=headers,
        sender_address=_first(headers, "from"),
        reply_to=_addresses(headers, "reply-to"),
        sender=_first(headers, "sender"),
        return_path=_return_path(headers) if "return-path" in headers else sender,
        to=_addresses(headers, "to"),
        cc=_addresses(headers, "cc"),
        subject=" ".join(headers.get("subject").split()),
        date=read_date(headers.raw("date")),
        message_id=next(iter(message_ids(headers.raw("message-id"))), ""),
        in_reply_to=parents[:1],
        references=tuple(dict.fromkeys(message_ids(" ".join(headers.all_raw("references"))) + parents[1:])),
        text=body.text(),
        html=markup,
        attachments=body.files(markup),
        content_type=content_type,
        content_parameters=tuple(parameters.items()),
        error=error,
    )


def _addresses(headers: Headers, name: str) -> tuple[Address, ...]:
    return tuple(address for value in headers.all_raw(name) for address in parse_addresses(value))


def _first(headers: Headers, name: str) -> Address:
    found = _addresses(headers, name)
    return next((address for address in found if address.email), found[0] if found else NOBODY)


def _return_path(headers: Headers) -> str:
    return next((address.email for address in _addresses(headers, "return-path")), "")


def read_date(value: str) -> datetime | None:
    """The instant of a Date header in UTC; None when there is none. A date without a zone counts as UTC."""
    try:
        date = parsedate_to_datetime(value[:200])
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
