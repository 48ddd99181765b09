"""The part of a ticket's state that says who works on it: all that most facts are asked for, in half the time."""

from pydantic import Field

from libs.contracts.event import Payload
from libs.contracts.ticket_state import Priority, StatusCategory, TicketState


class Standing(Payload):
    """As the fields of TicketState of the same names."""

    status_category: StatusCategory
    counts: bool = True
    priority: Priority | None = None
    assignee: str | None = None
    queue: str | None = None
    human_replies: int = Field(0, ge=0)
    epoch: int = Field(0, ge=0)
    spam: bool = False


State = TicketState | Standing
"""What a fact says about a ticket, in whole or in the part that is asked for."""
