"""A notice as a mail: built by `email.message.EmailMessage` only, so that no value can become a header of its own."""

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage, Message
from email.policy import Policy
from email.utils import format_datetime

from libs.contracts.mail_ids import notice_message_id
from libs.contracts.notice import NoticeKind
from services.notifier.mail_file import MailFile, addressed, is_writable

LONGEST_ID = 250
LOOP_SIGNS = 16


class MessageIds(UnstructuredHeader, BaseHeader):
    """A header of Message-IDs, folded between ids only.

    The standard library turns an id that is longer than a line into an encoded word, and ours are: no mail program
    would find the thread again.
    """

    name: str

    def fold(self, *, policy: "Policy[Message]") -> str:
        """As it is written, an id a line."""
        return f"{self.name}: {f'{policy.linesep} '.join(str(self).split())}{policy.linesep}"


class KnownHeaders(HeaderRegistry):
    """The standard registry makes a new class for each header of each mail; this one keeps them."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, type[BaseHeader]] = {}

    def __getitem__(self, name: str) -> type[BaseHeader]:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = super().__getitem__(name)
        return known


def _headers() -> HeaderRegistry:
    registry = KnownHeaders()
    for name in ("message-id", "in-reply-to", "references"):
        registry.map_to_type(name, MessageIds)
    return registry


PLAIN = policy.SMTP.clone(header_factory=_headers(), cte_type="7bit")
UNICODE = policy.SMTPUTF8.clone(header_factory=_headers(), cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Enclosure:
    """An attachment with its bytes."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """What leaves: envelope and content. An empty sender is the null path `<>`."""

    sender: str
    recipient: str
    content: bytes
    message_id: str
    needs_smtputf8: bool


@dataclass(frozen=True, slots=True)
class Claimed:
    """A notice that is being sent, in its `attempts`th attempt. addressed: who gets the same answer, by spaces: To
    first, which may be empty, then Cc; None where it is for the recipient alone.
    """

    ticket: str
    id: str
    kind: NoticeKind
    cause: str
    recipient: str
    automatic: bool
    fact_at: datetime
    created_at: datetime
    subject: str
    text: str
    sender: str
    reply_to: str | None
    message_id: str | None
    in_reply_to: str | None
    thread: str
    answers: bool
    source_message: str | None
    attachments: str | None
    trace: str | None
    attempts: int
    addressed: str | None = None


def write_letter(notice: Claimed, mail: MailFile, key: bytes, enclosures: Sequence[Enclosure] = ()) -> Letter:
    """The mail of a notice; the same notice gives the same mail. ValueError for one that cannot be written."""
    message_id = notice.message_id or notice_message_id(key, notice.ticket, notice.id, mail.domain)
    is_ascii = f"{notice.recipient}{notice.addressed or ''}{notice.sender}".isascii()
    message = EmailMessage(PLAIN if is_ascii else UNICODE)
    message["From"] = addressed(notice.sender, mail.display_name(notice.sender))
    _address(message, notice)
    if notice.reply_to:
        message["Reply-To"] = addressed(notice.reply_to)
    message["Subject"] = notice.subject
    message["Date"] = format_datetime(notice.created_at)
    message["Message-ID"] = f"<{message_id}>"
    _thread(message, notice)
    if notice.automatic:
        _mark_automatic(message, notice, mail, key)
    message.set_content(notice.text)
    for enclosure in enclosures:
        maintype, _, subtype = enclosure.content_type.partition("/")
        message.add_attachment(enclosure.content, maintype=maintype, subtype=subtype, filename=enclosure.name)
    sender = "" if notice.automatic else notice.reply_to or notice.sender
    return Letter(sender, notice.recipient, message.as_bytes(), message_id, not is_ascii)


def _address(message: EmailMessage, notice: Claimed) -> None:
    """To and Cc: whoever gets an answer sees who gets it as well (behaviour M-3)."""
    recipient = addressed(notice.recipient)
    if notice.addressed is None:
        message["To"] = recipient
        return
    to, *copies = notice.addressed.split(" ")
    if is_writable(to):
        message["To"] = addressed(to)
    if copies:
        message["Cc"] = [addressed(each) for each in copies]


def _thread(message: EmailMessage, notice: Claimed) -> None:
    """In-Reply-To and References, without what is no Message-ID."""
    if notice.in_reply_to and (replied := _ids([notice.in_reply_to])):
        message["In-Reply-To"] = replied
    if references := _ids(notice.thread.split()):
        message["References"] = references


def _mark_automatic(message: EmailMessage, notice: Claimed, mail: MailFile, key: bytes) -> None:
    """What keeps machines from answering (behaviour A-2, RFC 3834)."""
    message["Auto-Submitted"] = "auto-replied" if notice.answers else "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["X-Signalbox-Loop"] = loop_mark(key, mail.domain)


def loop_mark(key: bytes, domain: str) -> str:
    """Our own mark on automatic mail: who sees it again has a loop."""
    digest = hmac.digest(key, f"loop.{domain}".encode(), "sha256")
    return base64.b32encode(digest)[:LOOP_SIGNS].decode().lower()


def _ids(found: Sequence[str]) -> str:
    usable = [id.strip("<>") for id in found if len(id) <= LONGEST_ID and id.isascii() and id.isprintable()]
    return " ".join(f"<{id}>" for id in usable if id)
