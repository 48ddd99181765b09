"""What the notifier says about what was said to people, on `notices.<partition>.<event>`."""

from enum import StrEnum

from pydantic import Field

from libs.contracts.event import About, Event, Speaker, event


class NoticeKind(StrEnum):
    """What a notice is for."""

    ACKNOWLEDGMENT = "acknowledgment"
    REPLY = "reply"
    COPY = "copy"
    SLA_WARNING = "sla_warning"
    SLA_BREACH = "sla_breach"
    RESOLVED = "resolved"
    REMINDER = "reminder"
    ASSIGNED = "assigned"
    DELIVERY_FAILED = "delivery_failed"


@event("notice.sent", speaker=Speaker.NOTIFIER, about=About.TICKET)
class NoticeSent(Event):
    """The next mail server took responsibility for the notice."""

    notice_id: str = Field(description="Notice id.")
    kind: NoticeKind = Field(description="What for.")
    message_id: str | None = Field(None, description="Message-ID it left with, without angle brackets.")
    source_message: str | None = Field(None, description="Id of the ticket message it carried, for replies.")


@event("notice.failed", speaker=Speaker.NOTIFIER, about=About.TICKET)
class NoticeFailed(Event):
    """The notice did not leave, or nobody can know whether it did (decisions 20)."""

    notice_id: str = Field(description="Notice id.")
    kind: NoticeKind = Field(description="What for.")
    state: str = Field(description="refused, expired, unknown, suppressed or undeliverable.")
    reason: str = Field(description="Why, in words, without addresses.")
    permanent: bool = Field(description="Whether trying again is pointless.")
    source_message: str | None = Field(None, description="Id of the ticket message it carried, for replies.")
