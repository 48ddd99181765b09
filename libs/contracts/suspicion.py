"""What intake suspects about tickets, on `tickets.<partition>.<event>`; nothing follows from it by itself."""

from pydantic import Field

from libs.contracts.event import About, Event, Payload, Speaker, event


class DuplicateEvidence(Payload):
    """One thing that speaks for it."""

    kind: str = Field(
        description="same_requester, same_organisation, near_in_time, same_subject, similar_subject, similar_text, "
        "shared_number or same_field."
    )
    weight: float = Field(ge=0, le=1, description="How much it says.")


class DuplicateSuspect(Payload):
    """An earlier ticket that may be about the same matter."""

    ticket: str = Field(description="Ticket id.")
    score: float = Field(ge=0, le=1, description="1 - the product of what each piece of evidence leaves open.")
    evidence: tuple[DuplicateEvidence, ...] = Field(description="What speaks for it.")


@event("ticket.duplicate-suspected", speaker=Speaker.INTAKE, about=About.TICKET)
class TicketDuplicateSuspected(Event):
    """A new ticket may be about the same as earlier ones of its requester or of colleagues (behaviour M-5).

    Said at most once, some seconds after it was opened, where the configuration wishes it. It names no words: `GET
    /v1/tickets/{id}/duplicates` has them.
    """

    suspects: tuple[DuplicateSuspect, ...] = Field(description="The likeliest first, at most five.")
