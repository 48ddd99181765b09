"""A notice: one thing said, or not said, to one recipient for one cause."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import blake2s

from libs.contracts.notice import NoticeFailed, NoticeKind, NoticeSent

ID_BYTES = 12


class State(StrEnum):
    """queued → sending, committed before DATA → sent, failed, unknown, or queued again; suppressed never leaves."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"


class Verdict(StrEnum):
    """Why a notice did not leave, as `notice.failed` says it."""

    REFUSED = "refused"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"
    UNDELIVERABLE = "undeliverable"


class Way(StrEnum):
    """mail leaves by SMTP; chat is read by the conversation's source, and is sent once it is stored."""

    MAIL = "mail"
    CHAT = "chat"


def notice_id(cause: str, kind: NoticeKind, recipient: str) -> str:
    """The id of a notice follows from what makes it unique: deciding it twice gives one notice (decisions 20)."""
    return blake2s(f"{cause}|{kind}|{recipient}".encode(), digest_size=ID_BYTES).hexdigest()


@dataclass(slots=True)
class Notice:
    """What is stored of it. Ids are without angle brackets; `thread` are References, oldest first, by spaces.

    fact_at: when the cause occurred. sender: the address of ours it leaves from. automatic: no person wrote it.
    answers: it answers a mail of the recipient, so it is auto-replied, not auto-generated (RFC 3834).
    attachments: JSON of the attachments' references. topic: what an acknowledgment is about (behaviour A-4).
    shared: an answer that others get as well, or such a copy; its mail names all of them. copy_for: of a copy, the
    merged ticket whose requester gets it (behaviour M-3).
    """

    ticket: str
    kind: NoticeKind
    way: Way
    cause: str
    recipient: str
    automatic: bool
    fact_at: datetime
    created_at: datetime
    state: State = State.QUEUED
    verdict: Verdict | None = None
    reason: str | None = None
    subject: str = ""
    text: str = ""
    sender: str = ""
    reply_to: str | None = None
    message_id: str | None = None
    in_reply_to: str | None = None
    thread: str = ""
    answers: bool = False
    source_message: str | None = None
    attachments: str | None = None
    topic: str | None = None
    shared: bool | None = None
    copy_for: str | None = None
    trace: str | None = None
    id: str = field(init=False)

    def __post_init__(self) -> None:
        self.id = notice_id(self.cause, self.kind, self.recipient)

    def suppress(self, reason: str, verdict: Verdict = Verdict.SUPPRESSED) -> "Notice":
        """The same, never to be sent; the reason names no address."""
        self.state = State.SUPPRESSED if verdict is Verdict.SUPPRESSED else State.FAILED
        self.verdict, self.reason = verdict, reason
        return self


def said(
    id: str,
    kind: NoticeKind,
    state: State,
    verdict: Verdict | None,
    reason: str | None,
    message_id: str | None = None,
    source_message: str | None = None,
) -> NoticeSent | NoticeFailed | None:
    """The fact about a notice that has come to its end; None while it has not."""
    if state is State.SENT:
        return NoticeSent(notice_id=id, kind=kind, message_id=message_id, source_message=source_message)
    if verdict is None:
        return None
    return NoticeFailed(
        notice_id=id,
        kind=kind,
        state=verdict.value,
        reason=reason or "",
        permanent=verdict is not Verdict.EXPIRED,
        source_message=source_message,
    )
