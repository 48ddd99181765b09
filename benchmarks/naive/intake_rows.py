"""What the naive intake keeps, as its mapper sees it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Identity, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from benchmarks.naive.rows import Rows
from libs.contracts.ticket_state import Priority, StatusCategory, TicketState


class ConversationRow(Rows):
    """A conversation of another system."""

    __tablename__ = "conversations"

    source: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(primary_key=True)
    ticket_id: Mapped[str | None]
    updated_at: Mapped[datetime]


class MessageRow(Rows):
    """A message of a conversation."""

    __tablename__ = "messages"
    __table_args__ = (UniqueConstraint("source", "conversation_id", "seq"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    conversation_id: Mapped[str]
    seq: Mapped[int]
    ticket_id: Mapped[str | None] = mapped_column(index=True)
    role: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime]


class CustomerRow(Rows):
    """A requester."""

    __tablename__ = "customers"

    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str | None]


class TicketRow(Rows):
    """A ticket."""

    __tablename__ = "tickets"
    __table_args__ = (UniqueConstraint("source", "conversation_id", "intent"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Identity())
    source: Mapped[str]
    conversation_id: Mapped[str]
    intent: Mapped[str]
    subject: Mapped[str]
    customer_id: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="open")
    priority: Mapped[str | None]
    category: Mapped[str | None]
    queue: Mapped[str | None] = mapped_column(index=True)
    assignee: Mapped[str | None] = mapped_column(index=True)
    tags: Mapped[list[str]] = mapped_column(default=list)
    custom: Mapped[dict[str, Any]] = mapped_column(default=dict)
    customer_messages: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    epoch: Mapped[int] = mapped_column(default=0)
    routed: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(index=True)
    next_deadline: Mapped[datetime | None]

    def state(self) -> TicketState:
        """The ticket as its facts carry it."""
        return TicketState(
            id=self.id,
            reference=f"SB-{self.number}",
            status=self.status,
            status_category=StatusCategory.OPEN,
            priority=_priority(self.priority),
            assignee=self.assignee,
            queue=self.queue,
            category=self.category,
            tags=tuple(self.tags),
            channel="chat",
            custom=self.custom,
            created_at=self.created_at,
            updated_at=self.updated_at,
            customer_messages=self.customer_messages,
            epoch=self.epoch,
            routed=self.routed,
        )


class TimelineRow(Rows):
    """What others said about a ticket."""

    __tablename__ = "timeline"

    ticket_id: Mapped[str] = mapped_column(primary_key=True)
    speaker: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str]
    data: Mapped[dict[str, Any]]


def _priority(value: str | None) -> Priority | None:
    return value  # type: ignore[return-value]
