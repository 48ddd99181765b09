"""What answers carry."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field
from pydantic_core import from_json

from libs.contracts.ticket_state import Scalar
from services.intake.domain.message import Customer
from services.intake.domain.rights import fact_as_seen, seen
from services.intake.domain.status import Statuses
from services.intake.domain.ticket import Ticket
from services.intake.domain.via import Via, way_of


class CustomerAnswer(BaseModel):
    """A requester."""

    id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    tier: str | None = None
    organisation: str | None = None


class TicketAnswer(BaseModel):
    """A ticket. `version` is its ETag; `next_deadline` is what sla promised next."""

    id: str
    reference: str
    subject: str
    status: str
    status_category: str
    priority: str | None
    assignee: str | None
    queue: str | None
    category: str | None
    tags: list[str]
    custom: dict[str, Scalar] = Field(description="Those that the caller may see (behaviour V-5)")
    channel: str
    mailbox: str | None
    watching_mailboxes: list[str] = Field([], description="Further mailboxes a mail of it was written to; not in lists")
    tier: str | None
    organisation: str | None
    language: str | None
    customer: CustomerAnswer | None
    source: str | None
    conversation_id: str | None
    conversation_url: str | None = None
    follow_up_of: str | None
    split_from: str | None
    merged_into: str | None
    created_at: datetime
    created_by: str | None
    updated_at: datetime
    resolved_at: datetime | None
    close_at: datetime | None = Field(description="When it closes by itself")
    waiting_since: datetime | None = Field(
        None, description="Reminders, and what its status does by itself, count from"
    )
    removed: str | None = Field(None, description="spam, deleted or erased")
    rating: int | None = Field(None, description="The customer's, 1 to 5")
    next_deadline: datetime | None
    customer_messages: int
    human_replies: int
    routed: bool
    spam: bool
    version: int
    handoff: dict[str, Any] | None = Field(None, description="What the source said when it asked for people")
    allowed_statuses: list[str] = Field(description="What the status may change to")


class FactAnswer(BaseModel):
    """One entry of a timeline: which service said what, when, by whom and through what."""

    speaker: str
    n: int = Field(description="Number of the fact among those of its speaker about this ticket")
    type: str
    occurred_at: datetime
    actor: str | None = Field(description="Who did it, e.g. agent:mira, customer, service:router, system")
    via: Via = Field(description="Through what it came")
    cause: str | None = Field(
        description="Id of what came: of the request for api, the receipt for mail, the event for chat, "
        "the job for bulk, the decision for rule"
    )
    data: dict[str, Any] = Field(description="The fact without personal fields; `changes` has old and new values")


class Written(BaseModel):
    """A message that was stored, and the ticket with it."""

    message_id: str
    ticket: TicketAnswer


STATE = (
    "id",
    "subject",
    "priority",
    "assignee",
    "queue",
    "category",
    "tier",
    "organisation",
    "language",
    "merged_into",
    "updated_at",
    "resolved_at",
    "close_at",
    "waiting_since",
    "removed",
    "rating",
    "customer_messages",
    "human_replies",
    "routed",
    "spam",
    "version",
)
ORIGIN = (
    "reference",
    "channel",
    "mailbox",
    "source",
    "conversation_id",
    "follow_up_of",
    "split_from",
    "created_at",
    "created_by",
)
LISTED = (*ORIGIN, *STATE, "status_category", "next_deadline", "tags")


def ticket_answer(
    ticket: Ticket,
    statuses: Statuses,
    customer: Customer | None,
    *,
    next_deadline: datetime | None = None,
    url: str | None = None,
    watching: Sequence[str] = (),
    unseen: frozenset[str] = frozenset(),
) -> TicketAnswer:
    """A ticket as it is; its status is the one that is in force for it (behaviour S-8)."""
    status = statuses.present(ticket.status, ticket.status_category)
    return TicketAnswer(
        **{name: getattr(ticket, name) for name in STATE},
        status=status.key,
        **{name: getattr(ticket.origin, name) for name in ORIGIN},
        status_category=ticket.status_category,
        tags=list(ticket.tags),
        custom=seen(ticket.custom, unseen),
        customer=None if customer is None else customer_answer(customer),
        conversation_url=url,
        watching_mailboxes=list(watching),
        next_deadline=next_deadline,
        handoff=fact_as_seen(from_json(ticket.origin.handoff), unseen) if ticket.origin.handoff else None,
        allowed_statuses=statuses.allowed(status),
    )


def listed_answer(row: Mapping[str, Any], statuses: Statuses, unseen: frozenset[str]) -> TicketAnswer:
    """A ticket from a row of a list; its status is the one that is in force for it (behaviour S-8)."""
    status = statuses.present(row["status"], row["status_category"])
    customer = CustomerAnswer(id=row["customer_id"] or "", name=row["customer_name"], email=row["customer_email"])
    return TicketAnswer(
        **{name: row[name] for name in LISTED},
        status=status.key,
        custom=seen(from_json(row["custom"]), unseen),
        customer=customer if row["customer_id"] is not None else None,
        allowed_statuses=statuses.allowed(status),
    )


def customer_answer(customer: Customer) -> CustomerAnswer:
    """A requester as known."""
    return CustomerAnswer(
        id=customer.id,
        name=customer.name,
        email=customer.email,
        phone=customer.phone,
        tier=customer.tier,
        organisation=customer.organisation,
    )


def fact_answer(row: Mapping[str, Any], unseen: frozenset[str]) -> FactAnswer:
    """An entry of a timeline, without what it says of custom fields that are not shown (behaviour V-5)."""
    via, cause = way_of(row["speaker"], row["cause"])
    data = fact_as_seen(row["data"], unseen) if unseen else row["data"]
    return FactAnswer(**{**row, "data": data, "via": via, "cause": cause})
