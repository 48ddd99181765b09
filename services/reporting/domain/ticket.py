"""What reporting remembers of a ticket: enough to say what it adds to the numbers, and nothing personal."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from libs.contracts.sla import Outcome


class Gone(StrEnum):
    """Why a ticket is no work any more, and counts nowhere but in its SLA verdicts."""

    MERGED = "merged"
    REMOVED = "removed"


@dataclass(slots=True)
class Answer:
    """The first public message of a human agent. priority: the ticket's when it was written."""

    at: datetime
    message_id: str
    priority: str


@dataclass(slots=True)
class Resolution:
    """One time the ticket became resolved, with its fields as they were then. by: the actor, `agent:<key>`, ..."""

    at: datetime
    by: str | None
    priority: str
    category: str
    queue: str
    agent: str
    reopened_at: datetime | None = None


@dataclass(slots=True)
class Verdict:
    """The one terminal verdict on a clock. on_change: breached because the target shrank (behaviour L-4)."""

    outcome: Outcome
    deadline: datetime
    priority: str
    on_change: bool = False


@dataclass(slots=True)
class Rating:
    """What the customer said of the work, 1 to 5; a later rating replaces it."""

    at: datetime
    score: int


@dataclass(slots=True)
class History:
    """What happened to a ticket, as far as numbers need it.

    waits_since: when first response began to count. verdicts: by `<metric>/<instance>`.
    """

    channel: str = ""
    tags: list[str] = field(default_factory=list)
    opening_message: str | None = None
    waits_since: datetime | None = None
    answer: Answer | None = None
    resolutions: list[Resolution] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    rating: Rating | None = None


@dataclass(slots=True)
class Ticket:
    """One ticket. created_at is None as long as only other speakers than intake have been heard about it."""

    id: str
    created_at: datetime | None = None
    status: str = ""
    status_category: str = ""
    priority: str = ""
    category: str = ""
    queue: str = ""
    assignee: str = ""
    gone: Gone | None = None
    resolved_at: datetime | None = None
    history: History = field(default_factory=History)

    def has(self, *fields: str) -> bool:
        """Whether status, its category, priority, category, queue and assignee are these."""
        mine = (self.status, self.status_category, self.priority, self.category, self.queue, self.assignee)
        return mine == fields
