"""The ticket: where it came from, what it is now, and its state as every fact carries it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from libs.contracts.ticket import ConversationLink
from libs.contracts.ticket_state import Priority, Scalar, StatusCategory
from services.intake.domain.status import ALL_RUN, Status


@dataclass(frozen=True, slots=True)
class Origin:
    """What never changes: how the ticket came to be.

    intent: with `conversation`, what the ticket is once for (behaviour C-1); None for follow-ups. handoff: JSON of what
    the source said when it asked for people.
    """

    reference: str
    channel: str
    created_at: datetime
    created_by: str | None = None
    mailbox: str | None = None
    suppress_reply: bool = False
    source: str | None = None
    conversation_id: str | None = None
    intent: str | None = None
    follow_up_of: str | None = None
    split_from: str | None = None
    handoff: str | None = None

    def link(self, url: str | None = None) -> ConversationLink | None:
        """The conversation it came from."""
        if self.source is None or self.conversation_id is None:
            return None
        return ConversationLink(source=self.source, conversation_id=self.conversation_id, url=url)


@dataclass(frozen=True)
class Ticket:
    """One ticket after its fact number `version`. Decisions make new ones; nothing changes one in place.

    close_at: when it closes by itself unless something happens (K-1). set_by_person: fields of the condition grammar
    that routing leaves alone (decisions 7). removed: spam, deleted or erased. waiting_since: what its status does by
    itself counts from then (K-2), reminders: how often the customer was reminded since. answered_by: the agent who
    answered last; resolved_owner: who had it when it was resolved last; rating: the customer's, 1 to 5 (K-5).
    """

    id: str
    origin: Origin
    subject: str
    customer_id: str | None
    status: str
    status_category: StatusCategory
    updated_at: datetime
    version: int = 1
    epoch: int = 0
    priority: Priority | None = None
    assignee: str | None = None
    queue: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    custom: dict[str, Scalar] = field(default_factory=dict)
    tier: str | None = None
    organisation: str | None = None
    language: str | None = None
    routed: bool = False
    spam: bool = False
    removed: str | None = None
    merged_into: str | None = None
    customer_messages: int = 0
    human_replies: int = 0
    resolved_at: datetime | None = None
    close_at: datetime | None = None
    waiting_since: datetime | None = None
    reminders: int | None = None
    answered_by: str | None = None
    resolved_owner: str | None = None
    rating: int | None = None
    set_by_person: frozenset[str] = frozenset()

    @property
    def is_closed(self) -> bool:
        """Terminal: what a customer writes now becomes a follow-up (behaviour S-6, H-4)."""
        return self.status_category is StatusCategory.CLOSED


TOLD_IF_SET = (
    *("priority", "assignee", "queue", "category", "tags", "tier", "organisation", "language", "custom"),
    *("resolved_at", "customer_messages", "human_replies", "epoch", "routed", "spam"),
)
"""Fields that are the same in TicketState, where what is empty is the default."""


def state_json(ticket: Ticket, status: Status, hidden: frozenset[str] = frozenset()) -> bytes:
    """The header `ticket` of a fact that leaves the ticket so: TicketState as JSON, without what is at its default.

    hidden: custom fields that no fact may have.
    """
    origin = ticket.origin
    state: dict[str, Any] = {
        "id": ticket.id,
        "reference": origin.reference,
        "status": ticket.status,
        "status_category": ticket.status_category,
        "channel": origin.channel,
        "created_at": origin.created_at,
        "updated_at": ticket.updated_at,
    }
    if status.clocks != ALL_RUN:
        state["clocks"] = status.clocks.model_dump(exclude_defaults=True)
    if not status.counts:
        state["counts"] = False
    values = ticket.__dict__
    for name in TOLD_IF_SET:
        if value := values[name]:
            state[name] = value
    if hidden and ticket.custom:
        state["custom"] = {key: value for key, value in ticket.custom.items() if key not in hidden}
    if origin.suppress_reply:
        state["suppress_reply"] = True
    if origin.mailbox:
        state["mailbox"] = origin.mailbox
    return to_json(state)
