"""The state of a ticket as every ticket fact carries it, in the header `ticket`."""

import base64
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from libs.contracts.event import Payload

MAX_STATE_BYTES = 8192
"""Longest encoded header `ticket`, in bytes."""


class StatusCategory(StrEnum):
    """The fixed categories a status belongs to; statuses themselves are configuration (behaviour S-1)."""

    OPEN = "open"
    PENDING = "pending"
    ON_HOLD = "on_hold"
    RESOLVED = "resolved"
    CLOSED = "closed"


Priority = Literal["low", "medium", "high", "critical"]
Scalar = str | int | float | bool


class ClockFlags(Payload):
    """Whether each kind of SLA clock runs while the ticket has this status (behaviour S-1). True = runs."""

    first_response: bool = Field(True, description="Whether first response clocks run.")
    next_response: bool = Field(True, description="Whether next response clocks run.")
    resolution: bool = Field(True, description="Whether resolution clocks run.")


class TicketState(Payload):
    """All fields of the condition grammar plus what routing and clocks need, as they are after fact `n`.

    Free of personal text: no subject line, no address, no body.
    """

    id: str = Field(description="Ticket id, a UUIDv7.")
    reference: str | None = Field(None, description="Short number with a check digit that people quote.")
    status: str = Field(description="Key of the status, from statuses.yaml.")
    status_category: StatusCategory = Field(description="Category of that status.")
    clocks: ClockFlags = Field(default=ClockFlags(), description="Which SLA clocks the status lets run.")
    counts: bool = Field(True, description="Whether the status counts toward an agent's capacity.")
    priority: Priority | None = Field(None, description="Unset until a person, a source or a rule sets it.")
    assignee: str | None = Field(None, description="Agent key.")
    queue: str | None = Field(None, description="Queue key.")
    category: str | None = Field(None, description="Category key.")
    tags: tuple[str, ...] = Field((), description="Sorted, without repeats.")
    channel: str = Field(description="email, chat, phone, form, api, social or in_person.")
    tier: str | None = Field(None, description="Customer tier, e.g. vip.")
    organisation: str | None = Field(None, description="Organisation key of the requester.")
    language: str | None = Field(None, description="BCP 47 tag of the requester's language, if known.")
    custom: dict[str, Scalar] = Field(default_factory=dict, description="Custom fields by key.")
    created_at: datetime = Field(description="When the ticket was created, UTC.")
    updated_at: datetime = Field(description="When the last fact of the ticket occurred, UTC.")
    resolved_at: datetime | None = Field(None, description="When it last became resolved, UTC; unset while it is not.")
    customer_messages: int = Field(0, ge=0, description="Public messages by customers so far.")
    human_replies: int = Field(0, ge=0, description="Public messages by human agents so far.")
    epoch: int = Field(0, ge=0, description="+1 on assignee, queue, status category, merge, removal.")
    routed: bool = Field(False, description="Whether a routing decision has been applied.")
    suppress_reply: bool = Field(False, description="Nothing automatic may be sent to the customer (behaviour A-1).")
    spam: bool = Field(False, description="Marked as spam.")
    mailbox: str | None = Field(None, description="Address of the mailbox it came in by, for mail.")

    def encode(self) -> str:
        """base64url JSON without padding; at most 8 KB (ValueError beyond)."""
        return encode_state(self.model_dump_json(exclude_defaults=True).encode())

    @classmethod
    def decode(cls, text: str) -> "TicketState":
        """The inverse of `encode`. ValueError for anything else."""
        return cls.model_validate_json(decode_state(text))


def encode_state(json: bytes) -> str:
    """The header form of a state that is JSON already. ValueError over 8 KB."""
    text = base64.urlsafe_b64encode(json).rstrip(b"=").decode("ascii")
    if len(text) > MAX_STATE_BYTES:
        raise ValueError(f"ticket: the state takes {len(text)} bytes as a header, {MAX_STATE_BYTES} are allowed")
    return text


def decode_state(text: str) -> bytes:
    """The JSON of a header `ticket`."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
