"""What the router says, on `routing.<partition>.<event>`."""

from enum import StrEnum

from pydantic import Field

from libs.contracts.event import About, Event, Payload, Speaker, event
from libs.contracts.ticket_state import Priority, Scalar


class RoutedFields(Payload):
    """Fields that rules set. Intake applies each one that no person has set."""

    category: str | None = Field(None, description="Category key.")
    priority: Priority | None = Field(None, description="Priority.")
    add_tags: tuple[str, ...] = Field((), description="Tags to add.")
    custom: dict[str, Scalar] = Field(default_factory=dict, description="Custom fields by key.")

    def __hash__(self) -> int:
        # a default that has no hash is copied for every instance
        return hash((self.category, self.priority, self.add_tags))


@event("routing.routed", speaker=Speaker.ROUTER, about=About.TICKET)
class TicketRouted(Event):
    """A routing decision (decisions 8). Intake applies fields always, queue and assignee if the epoch still matches."""

    decision_id: str = Field(description="UUIDv7; the `changed` that follows names it as its cause.")
    epoch: int = Field(ge=0, description="The ticket's epoch the decision was made for.")
    fields: RoutedFields = Field(default=RoutedFields(), description="What rules set.")
    queue: str | None = Field(None, description="Queue key; unset leaves the queue.")
    assignee: str | None = Field(None, description="Agent key; unset = the ticket waits in the queue.")
    release: bool = Field(False, description="The assignee is gone, nobody follows yet: no owner now.")
    fallback: bool = Field(False, description="No rule named a queue: the fallback did (behaviour R-0).")
    reason: str = Field("", description="Reason code: assigned, no_agent_available, after_hours, no_holder, ...")


class Presence(StrEnum):
    """Whether an agent takes new work."""

    ONLINE = "online"
    AWAY = "away"
    OFFLINE = "offline"


@event("routing.agent-changed", speaker=Speaker.ROUTER, about=About.AGENT)
class AgentChanged(Event):
    """An agent as they are now; ce-subject is `agent:<key>`."""

    key: str = Field(description="Agent key.")
    name: str | None = Field(None, description="Display name.")
    email: str | None = Field(None, description="Address for notifications.")
    skills: tuple[str, ...] = Field((), description="Skill keys.")
    queues: tuple[str, ...] = Field((), description="Queues the agent works.")
    active: bool = Field(description="False: left the team; tokens of this agent are refused.")
    presence: Presence = Field(description="Whether they take new work now.")


@event("routing.queue-changed", speaker=Speaker.ROUTER, about=About.QUEUE)
class QueueChanged(Event):
    """A queue as it is now; ce-subject is `queue:<key>`."""

    key: str = Field(description="Queue key.")
    name: str = Field(description="Display name.")
    lead: str | None = Field(None, description="Agent key of the lead, who gets warnings of unassigned tickets (W-2).")
    schedule: str | None = Field(None, description="Key of the schedule in worktime.yaml.")
    active: bool = Field(True, description="False: no new tickets.")
