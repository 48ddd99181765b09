"""agents.yaml: who works where, for an empty router; afterwards the API owns agents and queues (decisions 15)."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from libs.conditions.tree import AS_TUPLE
from libs.contracts.routing import Presence
from services.router.assignment.floor import Agent, Queue
from services.router.rules import Key

Keys = Annotated[tuple[Key, ...], AS_TUPLE, Field(max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AgentEntry(_Part):
    """One agent. `capacity`: open tickets at most, unset = any number. `presence` is where they start."""

    name: Annotated[str, Field(max_length=200)] | None = None
    email: Annotated[str, Field(max_length=254)] | None = None
    role: Literal["agent", "lead"] = "agent"
    skills: Keys = ()
    queues: Keys = ()
    capacity: Annotated[int, Field(ge=0, le=100_000)] | None = None
    presence: Presence = Presence.ONLINE


class QueueEntry(_Part):
    """One queue. It has a lead always: somebody watches (behaviour R-0). `wait_limit` is in seconds of its hours."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    lead: Key
    schedule: Key | None = None
    strategy: Literal["round_robin", "balanced"] = "round_robin"
    overflow: Key | None = None
    wait_limit: Annotated[int, Field(ge=60, le=30 * 86_400)] | None = None


class Roster(_Part):
    """The whole of agents.yaml. `skills` lists skills that rules may ask for although nobody has them yet."""

    agents: dict[Key, AgentEntry]
    queues: Annotated[dict[Key, QueueEntry], Field(min_length=1)]
    skills: Keys = ()

    @property
    def known_skills(self) -> frozenset[str]:
        """Every skill that means something here."""
        return frozenset(self.skills).union(*(entry.skills for entry in self.agents.values()))

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        for key, agent in self.agents.items():
            for queue in agent.queues:
                self._must_be(queue, self.queues, f"agents.{key}.queues", "queue")
        for key, entry in self.queues.items():
            self._must_be(entry.lead, self.agents, f"queues.{key}.lead", "agent")
            if entry.overflow is not None:
                self._must_be(entry.overflow, self.queues, f"queues.{key}.overflow", "queue")
        return self

    @staticmethod
    def _must_be(key: str, known: dict[str, Any], where: str, what: str) -> None:
        if key not in known:
            raise ValueError(f"{where}: {what} {key!r} does not exist; there are: {', '.join(sorted(known))}")

    def people(self) -> list[Agent]:
        """The agents as they start."""
        return [
            Agent(
                key=key,
                name=entry.name,
                email=entry.email,
                role=entry.role,
                skills=frozenset(entry.skills),
                queues=frozenset(entry.queues),
                capacity=entry.capacity,
                presence=entry.presence,
            )
            for key, entry in self.agents.items()
        ]

    def places(self) -> list[Queue]:
        """The queues as they start."""
        return [Queue(key=key, **entry.model_dump()) for key, entry in self.queues.items()]
