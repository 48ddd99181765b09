"""What other systems say about conversations, on `conversations.<source>.<event>`."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from libs.contracts.event import About, Event, Speaker, event
from libs.contracts.ticket_state import Priority, Scalar

MAX_MESSAGE_CHARACTERS = 65_536


class Role(StrEnum):
    """Who wrote a chat message. Only `agent` is a human answer (behaviour C-4, L-5)."""

    CUSTOMER = "customer"
    AGENT = "agent"
    AI = "ai"
    SYSTEM = "system"


class ConversationEvent(Event):
    """What all conversation events carry."""

    conversation_id: str = Field(min_length=1, max_length=200, description="Id in the source's own words.")


@event("conversation.started", speaker=Speaker.SOURCE, about=About.CONVERSATION)
class ConversationStarted(ConversationEvent):
    """A conversation began. Optional: a conversation that is first heard of by another event exists as well."""

    name: str | None = Field(None, max_length=200, description="Visitor's name.")
    email: str | None = Field(None, max_length=254, description="Visitor's address.")
    phone: str | None = Field(None, max_length=50, description="Visitor's phone number.")
    url: str | None = Field(None, max_length=2000, description="Link back to the conversation in the source.")
    channel: str = Field("chat", max_length=20, description="chat, phone, social, form or another channel key.")
    language: str | None = Field(None, max_length=35, description="BCP 47 tag.")
    tier: str | None = Field(None, max_length=50, description="Customer tier.")
    organisation: str | None = Field(None, max_length=100, description="Organisation key.")


@event("conversation.contact-identified", speaker=Speaker.SOURCE, about=About.CONVERSATION)
class ContactIdentified(ConversationEvent):
    """The visitor is now known. Fields that are absent leave what was known (behaviour C-5)."""

    name: str | None = Field(None, max_length=200, description="Visitor's name.")
    email: str | None = Field(None, max_length=254, description="Visitor's address.")
    phone: str | None = Field(None, max_length=50, description="Visitor's phone number.")
    tier: str | None = Field(None, max_length=50, description="Customer tier.")
    organisation: str | None = Field(None, max_length=100, description="Organisation key.")


@event("conversation.message-added", speaker=Speaker.SOURCE, about=About.CONVERSATION)
class ConversationMessageAdded(ConversationEvent):
    """One message of the conversation; stored once by (source, conversation, seq), read in order of seq (C-2)."""

    seq: int = Field(ge=0, description="Position in the conversation; rises, gaps are allowed.")
    role: Role = Field(description="Who wrote it.")
    text: str = Field(max_length=MAX_MESSAGE_CHARACTERS, description="Plain text.")
    author: str | None = Field(None, max_length=200, description="Name or key of the writer, for agents and AI.")


@event("conversation.message-edited", speaker=Speaker.SOURCE, about=About.CONVERSATION)
class ConversationMessageEdited(ConversationEvent):
    """A message was changed or taken back. What was said stays; this is kept with it as a revision (behaviour C-2).

    Heard before the message itself, it stands for it.
    """

    seq: int = Field(ge=0, description="Position of the message in the conversation.")
    role: Role = Field(description="Who wrote it.")
    text: str = Field("", max_length=MAX_MESSAGE_CHARACTERS, description="Plain text as it is now.")
    deleted: bool = Field(False, description="Whether it was taken back; the text is empty then.")
    author: str | None = Field(None, max_length=200, description="Name or key of the writer, for agents and AI.")


class Escalation(ConversationEvent):
    """What asks for a ticket; one ticket for each (source, conversation, intent) (behaviour C-1)."""

    intent_id: str = Field("default", min_length=1, max_length=100, description="A second intent is a second ticket.")
    topic: str | None = Field(None, max_length=200, description="Topic, in the source's words.")
    reason: str | None = Field(None, max_length=2000, description="Why a person is needed.")
    summary: str | None = Field(None, max_length=10_000, description="What happened so far.")


@event("conversation.handed-off", speaker=Speaker.SOURCE, about=About.CONVERSATION)
class HandedOff(Escalation):
    """An AI agent hands the conversation to people; the first response clock starts here (behaviour C-4)."""

    confidence: float | None = Field(None, ge=0, le=1, description="The AI's confidence, 0 to 1.")
    kb_ids: tuple[str, ...] = Field((), max_length=50, description="Knowledge base articles it used.")


@event("conversation.ticket-requested", speaker=Speaker.SOURCE, about=About.CONVERSATION)
class TicketRequested(Escalation):
    """A person or program asks for a ticket from the conversation, active or resolved."""

    subject: str | None = Field(None, max_length=500, description="Subject line; else made from the first message.")
    priority: Priority | None = Field(None, description="Chosen by the person who asks.")
    assignee: str | None = Field(None, max_length=100, description="Agent key chosen by the person who asks.")
    queue: str | None = Field(None, max_length=100, description="Queue key chosen by the person who asks.")
    category: str | None = Field(None, max_length=100, description="Category key.")
    tags: tuple[str, ...] = Field((), max_length=50, description="Tags to start with.")
    custom: dict[str, Scalar] = Field(default_factory=dict, description="Custom fields by key.")
    channel: str | None = Field(None, max_length=20, description="Channel, where no started event named it.")
    name: str | None = Field(None, max_length=200, description="Customer's name, where not identified before.")
    email: str | None = Field(None, max_length=254, description="Customer's address, where not identified before.")


@event("conversation.resolved", speaker=Speaker.SOURCE, about=About.CONVERSATION)
class ConversationResolved(ConversationEvent):
    """The conversation ended in the source; its ticket, if any, goes on."""

    resolved_at: datetime | None = Field(None, description="When, UTC; else the event's time.")


@event("conversation.rated", speaker=Speaker.SOURCE, about=About.CONVERSATION)
class ConversationRated(ConversationEvent):
    """The visitor rated the conversation."""

    score: int = Field(ge=1, le=5, description="1 worst, 5 best.")
    comment: str | None = Field(None, max_length=5000, description="In the visitor's words.")
