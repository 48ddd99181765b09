"""What other systems say about agents, on `agents.<source>.<event>`; the router hears it (decisions 31)."""

from pydantic import Field

from libs.contracts.event import About, Event, Speaker, event
from libs.contracts.routing import Presence


@event("agent.presence-reported", speaker=Speaker.SOURCE, about=About.AGENT)
class AgentPresenceReported(Event):
    """Another system saw an agent come, go or pause."""

    key: str = Field(min_length=1, max_length=100, description="Agent key.")
    presence: Presence = Field(description="What it saw.")


@event("agent.roster-reported", speaker=Speaker.SOURCE, about=About.AGENT)
class AgentRosterReported(Event):
    """Another system's roster entry for an agent. Absent fields leave what is known."""

    key: str = Field(min_length=1, max_length=100, description="Agent key.")
    name: str | None = Field(None, max_length=200, description="Display name.")
    email: str | None = Field(None, max_length=254, description="Address for notifications.")
    skills: tuple[str, ...] | None = Field(None, max_length=200, description="Skill keys.")
    queues: tuple[str, ...] | None = Field(None, max_length=200, description="Queues the agent works.")
    active: bool | None = Field(None, description="False: left the team.")
