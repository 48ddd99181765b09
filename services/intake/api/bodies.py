"""What requests carry."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from libs.contracts.ticket_state import Priority, Scalar
from services.intake.domain.tags import LONGEST, MOST, normal

ALIASES: dict[str, Priority] = {"urgent": "critical", "normal": "medium"}


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain NUL")
    return text


def _normal_tag(tag: str) -> str:
    found = normal(tag)
    if found is None:
        raise ValueError(f"must have letters, digits, _ / . : and - only, and at most {LONGEST} of them")
    return found


Plain = AfterValidator(_without_nul)
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Tag = Annotated[str, StringConstraints(max_length=200), AfterValidator(_normal_tag)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), Plain]
Email = Annotated[
    str, StringConstraints(pattern=r"^[^\s<>@,]{1,64}@[^\s<>@,]{1,190}$", to_lower=True, strip_whitespace=True), Plain
]
Subject = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True), Plain]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200_000), Plain]
CustomKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]
Chosen = Annotated[list[Annotated[str, StringConstraints(max_length=100)]], Field(max_length=100)]
Custom = Annotated[dict[CustomKey, Scalar | Chosen | None], Field(max_length=50)]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{2,35}$")]
PriorityWord = Literal["low", "medium", "high", "critical", "urgent", "normal"]


def priority(word: PriorityWord | None) -> Priority | None:
    """The priority of a word; some have two (behaviour P-0)."""
    return None if word is None else ALIASES.get(word) or word  # type: ignore[return-value]


class Body(BaseModel):
    """A request; unknown fields are refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ContactBody(Body):
    """Who the ticket is for."""

    name: Name | None = None
    email: Email | None = None
    phone: Annotated[str, StringConstraints(max_length=50), Plain] | None = None
    organisation: Key | None = None
    tier: Key | None = None


class Fields(Body):
    """Fields that whoever opens a ticket may choose; routing leaves them alone."""

    subject: Subject | None = None
    priority: PriorityWord | None = None
    assignee: Key | None = None
    queue: Key | None = None
    category: Key | None = None
    tags: tuple[Tag, ...] = Field((), max_length=MOST)
    custom: Custom = Field(default_factory=dict)


class NewTicket(Fields):
    """A ticket by hand: phone, in person, social, or by another program.

    text: what the customer said; with `written_by: agent`, what is written to the customer. note: an internal note.
    template: fills what is left out, and leaves its note (behaviour N-3).
    """

    text: Text | None = None
    written_by: Literal["customer", "agent"] = "customer"
    channel: Literal["phone", "in_person", "social", "form", "api", "email", "chat"] = "phone"
    status: Key | None = None
    customer: ContactBody = ContactBody()
    language: Language | None = None
    template: Key | None = None
    note: Text | None = None


class HandoffNote(Body):
    """What the next queue has to know; kept as one internal note (behaviour N-2)."""

    tried: Annotated[str, StringConstraints(min_length=1, max_length=5000, strip_whitespace=True), Plain]
    status: Annotated[str, StringConstraints(min_length=1, max_length=5000, strip_whitespace=True), Plain]
    next: Annotated[str, StringConstraints(min_length=1, max_length=5000, strip_whitespace=True), Plain]

    def written(self) -> str:
        """As it stands in the note."""
        return f"Tried: {self.tried}\nStatus: {self.status}\nNext: {self.next}"


class Patch(Body):
    """Fields to change; null unsets. `custom` is merged key by key, null removes a key.

    handoff: for a change of queues, stored before it as a note.
    """

    subject: Subject | None = None
    status: Key | None = None
    priority: PriorityWord | None = None
    assignee: Key | None = None
    queue: Key | None = None
    category: Key | None = None
    tags: Annotated[tuple[Tag, ...], Field(max_length=MOST)] | None = None
    custom: Custom | None = None
    handoff: HandoffNote | None = None


class NewReply(Body):
    """A public answer. submit_as: the status it is submitted as, in one step (behaviour S-4). attachments: ids of what
    was uploaded for it.
    """

    text: Text
    html: Text | None = None
    submit_as: Key | None = None
    attachments: tuple[Annotated[str, StringConstraints(min_length=1, max_length=64), Plain], ...] = Field(
        (), max_length=50
    )


class NewNote(Body):
    """An internal note; customers never see it (behaviour N-1)."""

    text: Text


class ApplyTemplate(Body):
    """Which template, in which language; else the ticket's."""

    template: Key
    language: Language | None = None


class RunMacro(Body):
    """In which language; else the ticket's."""

    language: Language | None = None


class TicketFromConversation(Fields):
    """What the person chooses who makes a ticket of a conversation."""

    intent_id: Annotated[str, StringConstraints(min_length=1, max_length=100), Plain] = "default"
    topic: Subject | None = None
    reason: Annotated[str, StringConstraints(max_length=2000), Plain] | None = None
    summary: Annotated[str, StringConstraints(max_length=10_000), Plain] | None = None
    customer: ContactBody = ContactBody()
