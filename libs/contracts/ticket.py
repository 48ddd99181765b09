"""What intake says about tickets, on `tickets.<partition>.<event>`. `n` is the ticket's version and its ETag."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from libs.contracts.event import PERSONAL, About, Event, Payload, Speaker, event

MAX_INLINE_TEXT = 65_536
"""Longest text that travels in a fact, in bytes of UTF-8; a longer one is cut and `text_truncated` is true."""


class MessageKind(StrEnum):
    """Who a public message of a ticket is from. `automatic` is mail written by a machine (behaviour A-5)."""

    CUSTOMER = "customer"
    AGENT = "agent"
    AI = "ai"
    SYSTEM = "system"
    AUTOMATIC = "automatic"


class Customer(Payload):
    """The requester. Personal: joined when the fact is published, never kept in `events`."""

    id: str = Field(description="Customer id.")
    name: str | None = Field(None, description="Display name.")
    email: str | None = Field(None, description="Address that answers go to, lower case.")


class ConversationLink(Payload):
    """The conversation a ticket came from."""

    source: str = Field(description="Source, the token of its NATS subject.")
    conversation_id: str = Field(description="Id in that source.")
    url: str | None = Field(None, description="Link to it.")


class InboundMail(Payload):
    """What an answer to a mail needs so that it threads in the customer's client. Personal, joined at publish."""

    message_id: str | None = Field(None, description="Message-ID of the customer's mail, without angle brackets.")
    references: tuple[str, ...] = Field((), description="Its References, oldest first, without angle brackets.")
    return_path: str | None = Field(None, description="Envelope sender, where an automatic answer goes (A-2).")
    subject: str | None = Field(
        None, description="Its subject, where it speaks of something else than its ticket (H-3)."
    )
    verified: bool | None = Field(
        None, description="Whether a trusted mail server found that its sender is who From says; null = not said."
    )


class Attachment(Payload):
    """An attachment, by reference; the bytes are fetched from intake."""

    id: str = Field(description="Attachment id.")
    name: str = Field(description="File name as given by the sender, cleaned.")
    content_type: str = Field(description="Declared media type.")
    size: int = Field(ge=0, description="Bytes.")
    sha256: str = Field(description="Hex digest of the content.")


class AnswerCopy(Payload):
    """Somebody who gets a copy of an answer: the requester of a ticket that was merged (behaviour M-3)."""

    ticket: str = Field(description="Merged ticket whose requester it is.")
    to: str = Field(description="Address.")


class Outbound(Payload):
    """A message that has to leave as mail. Personal, joined at publish."""

    to: str = Field(description="Recipient address; empty where the requester has none and only copies leave.")
    sender: str = Field(description="Support address it leaves from.")
    subject: str = Field(description="Subject line, with the ticket's reference.")
    message_id: str = Field(description="Message-ID to send with, without angle brackets (behaviour E-8).")
    in_reply_to: str | None = Field(None, description="Message-ID answered.")
    references: tuple[str, ...] = Field((), description="References, oldest first, at most 20.")
    reply_to: str | None = Field(None, description="Plus-address with an HMAC (behaviour E-8).")
    mark: str | None = Field(None, description="Signed mark for the foot of the mail, which finds back too (H-1).")
    copies: tuple[AnswerCopy, ...] = Field((), description="Who gets it as well, named in Cc (M-3).")


@event("ticket.opened", speaker=Speaker.INTAKE, about=About.TICKET)
class TicketOpened(Event):
    """A ticket exists. n = 1. The header `ticket` carries its fields."""

    channel: str = Field(description="How it came in; see TicketState.channel.")
    suppress_reply: bool = Field(False, description="No automatic answer may be sent (behaviour A-1).")
    created_by: str | None = Field(None, description="Agent key, for tickets a person opened by hand.")
    message_id: str | None = Field(None, description="Id of the first message.")
    opened_by_customer: bool = Field(True, description="False for tickets that begin with an agent's message (L-5).")
    conversation: ConversationLink | None = Field(
        None, description="The conversation it came from.", json_schema_extra=PERSONAL
    )
    follow_up_of: str | None = Field(None, description="Closed ticket that this one follows (behaviour H-4).")
    split_from: str | None = Field(None, description="Ticket on which somebody spoke of something else (H-3).")
    subject: str = Field("", description="Subject line.", json_schema_extra=PERSONAL)
    text: str = Field("", description="Text of the first customer message, at most 64 KB.", json_schema_extra=PERSONAL)
    text_truncated: bool = Field(False, description="Whether the text was cut.")
    customer: Customer | None = Field(None, description="The requester.", json_schema_extra=PERSONAL)
    mail: InboundMail | None = Field(None, description="For tickets from mail.", json_schema_extra=PERSONAL)


class Change(Payload):
    """One field before and after."""

    old: Any = Field(None, description="Value before; null = unset.")
    new: Any = Field(None, description="Value after; null = unset.")


@event("ticket.changed", speaker=Speaker.INTAKE, about=About.TICKET)
class TicketChanged(Event):
    """Fields changed. The header `ticket` has the state after the change; ce-cause is the decision applied, if any.

    Said for every routing decision, applied or not: then `changes` may be empty (decisions 8).
    """

    changes: dict[str, Change] = Field(description="By field name of the condition grammar; a subject has no values.")
    reopened: bool = Field(False, description="From resolved or closed back to a status that is worked on (S-2).")
    by_person: bool = Field(False, description="An agent or lead did it, not a rule or a customer.")


@event("ticket.message-added", speaker=Speaker.INTAKE, about=About.TICKET)
class TicketMessageAdded(Event):
    """A public message was stored."""

    message_id: str = Field(description="Message id.")
    kind: MessageKind = Field(description="Who it is from.")
    human: bool = Field(description="Written by a person: a customer or a human agent.")
    author: str | None = Field(None, description="Agent key, for agents.")
    channel: str = Field(description="How this message travelled.")
    attachments: tuple[Attachment, ...] = Field((), description="By reference.", json_schema_extra=PERSONAL)
    text: str = Field("", description="Plain text, at most 64 KB.", json_schema_extra=PERSONAL)
    text_truncated: bool = Field(False, description="Whether the text was cut.")
    outbound: Outbound | None = Field(None, description="Set when it has to leave as mail.", json_schema_extra=PERSONAL)
    thanks: bool = Field(False, description="A customer's that only thanks, and so did not reopen (behaviour K-4).")

    @property
    def is_human_answer(self) -> bool:
        """A public message of a human agent: what first response waits for (behaviour L-5)."""
        return self.kind is MessageKind.AGENT and self.human


@event("ticket.note-added", speaker=Speaker.INTAKE, about=About.TICKET)
class TicketNoteAdded(Event):
    """An internal note was stored. It never carries its text (behaviour N-1)."""

    message_id: str = Field(description="Message id.")
    author: str | None = Field(None, description="Agent key.")


@event("ticket.message-held", speaker=Speaker.INTAKE, about=About.TICKET)
class TicketMessageHeld(Event):
    """Somebody who takes no part in the ticket wrote on it: the message waits for an agent, without any effect.

    It carries no text. If an agent accepts it, `ticket.message-added` says so with the same id (behaviour H-2).
    """

    message_id: str = Field(description="Message id.")


@event("ticket.merged", speaker=Speaker.INTAKE, about=About.TICKET)
class TicketMerged(Event):
    """Said of the source: it was merged into another ticket (behaviour M-4)."""

    target: str = Field(description="Ticket id it was merged into.")


@event("ticket.unmerged", speaker=Speaker.INTAKE, about=About.TICKET)
class TicketUnmerged(Event):
    """Said of the source: the merge was undone (behaviour M-2)."""

    target: str = Field(description="Ticket id it had been merged into.")


class MergeSource(Payload):
    """One ticket that was merged."""

    id: str = Field(description="Ticket id.")
    created_at: datetime = Field(description="When that ticket was created, UTC (behaviour L-13).")


@event("ticket.absorbed", speaker=Speaker.INTAKE, about=About.TICKET)
class TicketAbsorbed(Event):
    """Said of the target: other tickets were merged into it."""

    sources: tuple[MergeSource, ...] = Field(description="The ticket merged, then those that were parts of it already.")
    taken: tuple[str, ...] = Field(
        (), description="Custom fields that the target had not and has from the source (M-3)."
    )
    conflicts: tuple[str, ...] = Field(
        (), description="Custom fields in which the source had another value; the target keeps its own (M-3)."
    )


@event("ticket.separated", speaker=Speaker.INTAKE, about=About.TICKET)
class TicketSeparated(Event):
    """Said of the target: merged tickets left it again."""

    sources: tuple[MergeSource, ...] = Field(description="The ticket that left, then those that are parts of it.")


@event("ticket.removed", speaker=Speaker.INTAKE, about=About.TICKET)
class TicketRemoved(Event):
    """The ticket was taken out of work: spam, deletion (behaviour L-14)."""

    reason: str = Field(description="spam, deleted or erased.")


@event("ticket.restored", speaker=Speaker.INTAKE, about=About.TICKET)
class TicketRestored(Event):
    """A removed ticket is worked on again; its clocks restart now (behaviour L-14)."""

    reason: str = Field(description="Why.")


@event("ticket.reminder-due", speaker=Speaker.INTAKE, about=About.TICKET)
class TicketReminderDue(Event):
    """The customer has not answered for so long that its status asks for a reminder (behaviour K-2)."""

    number: int = Field(ge=1, description="1 for the first reminder since the ticket began to wait.")
    waiting_since: datetime = Field(description="When it began to wait, or a person wrote last, UTC.")
    moves_at: datetime | None = Field(None, description="When it changes its status by itself, UTC; unset if never.")


@event("ticket.delivery-failed", speaker=Speaker.INTAKE, about=About.TICKET)
class TicketDeliveryFailed(Event):
    """A bounce for one of our messages arrived (behaviour A-6)."""

    message_id: str = Field(description="Id of the message that was not delivered.")
    permanent: bool = Field(description="5.x.x, against 4.x.x.")
    status: str | None = Field(None, description="Enhanced status code, e.g. 5.1.1.")


@event("ticket.rated", speaker=Speaker.INTAKE, about=About.TICKET)
class TicketRated(Event):
    """The customer rated the work (behaviour K-5)."""

    score: int = Field(ge=1, le=5, description="1 worst, 5 best.")
    agents: tuple[str, ...] = Field((), description="Agents the rating is attributed to.")
