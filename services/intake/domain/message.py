"""Messages and people of a ticket."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from libs.contracts.ticket import MAX_INLINE_TEXT, Attachment, InboundMail, MessageKind, Outbound


class Visibility(StrEnum):
    """Who may read a message; never changed after creation, but that an unverified one is accepted (N-1, H-2)."""

    PUBLIC = "public"
    INTERNAL = "internal"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Customer:
    """A requester. `email` is in lower case. Without an email nobody else can be known to be the same person."""

    id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    tier: str | None = None
    organisation: str | None = None


@dataclass(frozen=True)
class Message:
    """One message of a ticket, or of a conversation that has none yet.

    n: the ticket's version with it, which orders the messages of a ticket; of one conversation `seq` decides first.
    at: when it was stored, UTC, domain time; sent_at: when its source says it was written. kind: None for notes.
    thanks: a customer's that only thanks and did not reopen (K-4).
    """

    id: str
    kind: MessageKind | None
    text: str
    at: datetime
    channel: str
    ticket_id: str | None = None
    n: int | None = None
    visibility: Visibility = Visibility.PUBLIC
    author: str | None = None
    sent_at: datetime | None = None
    source: str | None = None
    conversation_id: str | None = None
    seq: int | None = None
    html: str | None = None
    mail: InboundMail | None = None
    outbound: Outbound | None = None
    attachments: tuple[Attachment, ...] = field(default=())
    thanks: bool | None = None

    @property
    def human(self) -> bool:
        """Written by a person: a customer or a human agent (behaviour L-5, C-4)."""
        return self.kind is MessageKind.CUSTOMER or self.kind is MessageKind.AGENT


def inline(text: str) -> tuple[str, bool]:
    """The text as a fact carries it, and whether it was cut (decisions 21)."""
    if len(text) * 4 <= MAX_INLINE_TEXT:
        return text, False
    raw = text.encode("utf-8", "replace")
    if len(raw) <= MAX_INLINE_TEXT:
        return text, False
    return raw[:MAX_INLINE_TEXT].decode("utf-8", "ignore"), True
