"""What a bounce says: which mail, which recipient, for good or for now (behaviour A-6)."""

import re
from dataclasses import dataclass

from services.intake.mail.addresses import parse_addresses
from services.intake.mail.automatic import RETURNED_TYPES, STATUS_TYPES
from services.intake.mail.headers import Headers, read_fields, split_headers
from services.intake.mail.message import Mail
from services.intake.mail.threading_ids import message_ids

MAX_RECIPIENTS = 100
MAX_TEXT = 20_000
GROUPS = re.compile(rb"(?:\r?\n){2,}")
STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
REPLY_CODE = re.compile(r"(?<![\d.])([45])[0-5]\d(?=[ -]\D|[ -][245]\.)")
QUOTED_ID = re.compile(r"^[> \t]*message-id[ \t]*:[ \t]*(<[^<>\s]{3,998}>)", re.IGNORECASE | re.MULTILINE)
NAMED_RECIPIENT = re.compile(
    r"<([^<>\s@]{1,64}@[^<>\s@]{1,255})>|^\s*([^<>\s@:]{1,64}@[^<>\s@:]{1,255}?)(?::|\s*$)", re.M
)
FOR_NOW = re.compile(
    r"\bdelay|temporar|will (?:be retried|retry|keep trying|continue)|still trying|deferred", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class FailedRecipient:
    """One recipient: the address in lower case, the enhanced status code ("" if unknown), and whether for good."""

    address: str
    status: str
    permanent: bool


@dataclass(frozen=True, slots=True)
class Bounce:
    """The returned mail's Message-IDs (best first, without angle brackets) and its recipients."""

    message_ids: tuple[str, ...]
    recipients: tuple[FailedRecipient, ...]

    @property
    def permanent(self) -> bool:
        """Whether delivery failed for good for at least one recipient."""
        return any(recipient.permanent for recipient in self.recipients)

    @property
    def status(self) -> str:
        """The first known status code; empty when none is."""
        return next((recipient.status for recipient in self.recipients if recipient.status), "")


def read_bounce(mail: Mail) -> Bounce:
    """The details of a mail that `automatic.is_bounce` found to be a bounce. A success report has no recipients."""
    reported = _reported(mail)
    return Bounce(original_ids(mail), _described(mail) if reported is None else reported)


def original_ids(mail: Mail) -> tuple[str, ...]:
    """Message-IDs of the returned mail: of its attached headers, of those quoted in the text, of In-Reply-To."""
    found: list[str] = []
    for attachment in mail.attachments:
        if attachment.content_type in RETURNED_TYPES:
            headers, _ = split_headers(attachment.content.lstrip())
            found += message_ids(headers.raw("message-id"))
    for quoted in QUOTED_ID.findall(mail.text[:MAX_TEXT]):
        found += message_ids(quoted)
    found += [*mail.in_reply_to, *mail.references]
    return tuple(dict.fromkeys(id_ for id_ in found if id_ != mail.message_id))


def _reported(mail: Mail) -> tuple[FailedRecipient, ...] | None:
    """The recipients of the machine-readable report (RFC 3464, 2.3); None where there is none."""
    found: list[FailedRecipient] = []
    groups = 0
    for attachment in mail.attachments:
        if attachment.content_type not in STATUS_TYPES:
            continue
        for group in GROUPS.split(attachment.content)[: MAX_RECIPIENTS + 1]:
            fields = Headers(read_fields(group).fields)
            if "final-recipient" in fields or "original-recipient" in fields:
                groups += 1
                found.extend(_recipient(fields))
    return tuple(found[:MAX_RECIPIENTS]) if groups else None


def _recipient(fields: Headers) -> list[FailedRecipient]:
    action = fields.get("action").strip().lower()
    if action in ("delivered", "relayed", "expanded"):
        return []
    address = _typed_address(fields.get("original-recipient")) or _typed_address(fields.get("final-recipient"))
    code = STATUS.search(fields.get("status")) or STATUS.search(fields.get("diagnostic-code"))
    status = code[1] if code else ""
    return [FailedRecipient(address, status, not status.startswith("4") and action != "delayed")]


def _typed_address(value: str) -> str:
    """The address of a value such as `rfc822; someone@example.com`."""
    address = value.rpartition(";")[2].strip()
    return next((found.email for found in parse_addresses(address)), "")


def _described(mail: Mail) -> tuple[FailedRecipient, ...]:
    """What a report in words alone gives away."""
    text = mail.text[:MAX_TEXT]
    status = STATUS.search(text)
    reply = REPLY_CODE.search(text)
    if status or reply:
        permanent = (status[1] if status else reply[1] if reply else "").startswith("5")
    else:
        permanent = FOR_NOW.search(f"{mail.subject}\n{text[:2000]}") is None
    failed = [
        address.email for value in mail.headers.all_raw("x-failed-recipients") for address in parse_addresses(value)
    ]
    own = {address.email for address in mail.to}
    named = [(angled or bare).lower() for angled, bare in NAMED_RECIPIENT.findall(text)]
    addresses = failed or [address for address in named if address not in own][:1] or [""]
    return tuple(FailedRecipient(address, status[1] if status else "", permanent) for address in addresses)
