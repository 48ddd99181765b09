"""What became of a mail."""

from dataclasses import dataclass
from enum import StrEnum


class Disposition(StrEnum):
    """`received` until a mail is settled; then one of the others, for good, unless a person releases or deletes it.

    accepted: it opened a ticket. appended: it joined one. duplicate: it was there before. automatic: a program's
    answer, kept with its ticket. bounce: it reports on a mail of ours. refused: its ticket takes no more, and its
    author is told so. suspended: it waits for a person. deleted: a person did not want it; its content is gone.
    """

    RECEIVED = "received"
    ACCEPTED = "accepted"
    APPENDED = "appended"
    DUPLICATE = "duplicate"
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"
    REFUSED = "refused"
    SUSPENDED = "suspended"
    DELETED = "deleted"


class Because(StrEnum):
    """Why a mail is suspended, for lists and counters; the reason says it in words."""

    UNREADABLE = "unreadable"
    NO_SENDER = "no_sender"
    OURSELVES = "ourselves"
    DENIED = "denied"
    TOO_MANY = "too_many"
    ANSWERS_NOTHING = "answers_nothing"
    SPAM = "spam"
    UNPROVED_AGENT = "unproved_agent"
    CLOSED = "closed"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The final disposition and why. ticket_id and message_id: where it went, if it went anywhere."""

    disposition: Disposition
    reason: str
    ticket_id: str | None = None
    message_id: str | None = None
    because: Because | None = None
