"""An intake that fits in a test: it keeps tickets, applies routing decisions as decisions 8b says, and says facts."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from libs.contracts.event import Event, Speaker
from libs.contracts.fact import Fact
from libs.contracts.routing import TicketRouted
from libs.contracts.ticket import (
    Change,
    TicketAbsorbed,
    TicketChanged,
    TicketMerged,
    TicketOpened,
    TicketRemoved,
    TicketRestored,
    TicketUnmerged,
)
from libs.contracts.ticket_state import TicketState

MONDAY_NOON = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)  # noon in Berlin
BUMPS = frozenset({"assignee", "queue", "status_category"})


@dataclass
class SmallIntake:
    """Tickets by id, their numbers, and what the clock says. `given`: how often each agent was given a ticket."""

    now: datetime = MONDAY_NOON
    tickets: dict[str, TicketState] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    by_person: dict[str, set[str]] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)
    refused: int = 0

    def open(
        self, ticket: str, subject: str = "", text: str = "", created_by: str | None = None, **more: Any
    ) -> Fact[Event]:
        """A ticket opens, one second after the last thing that happened."""
        self.now += timedelta(seconds=1)
        fields: dict[str, Any] = {"status": "open", "status_category": "open", "channel": "email", **more}
        self.tickets[ticket] = TicketState(id=ticket, created_at=self.now, updated_at=self.now, **fields)
        self.by_person[ticket] = {key for key in ("queue", "assignee") if key in more}
        said = TicketOpened(channel="email", subject=subject, text=text, created_by=created_by)
        return self.say(ticket, said)

    def apply(self, ticket: str, routed: TicketRouted) -> Fact[Event]:
        """A decision arrives: its assignment counts if the epoch is still the same; an answer is said always."""
        state = self.tickets[ticket]
        changes: dict[str, Any] = {}
        if state.priority is None and routed.fields.priority is not None:
            changes["priority"] = routed.fields.priority
        if routed.epoch == state.epoch:
            changes |= self._assignment(ticket, state, routed)
        elif routed.assignee is not None:
            self.refused += 1
        return self.change(ticket, cause=routed.decision_id, **changes)

    def person(self, ticket: str, **changes: Any) -> Fact[Event]:
        """A person changes fields."""
        self.by_person[ticket] |= set(changes)
        return self.change(ticket, by_person=True, **changes)

    def resolve(self, ticket: str) -> Fact[Event]:
        return self.change(ticket, by_person=True, status="resolved", status_category="resolved", counts=False)

    def pend(self, ticket: str) -> Fact[Event]:
        return self.change(ticket, by_person=True, status="pending", status_category="pending", counts=False)

    def reopen(self, ticket: str) -> Fact[Event]:
        return self.change(ticket, reopened=True, status="open", status_category="open", counts=True)

    def merge(self, ticket: str) -> Fact[Event]:
        self._bump(ticket)
        return self.say(ticket, TicketMerged(target="another"))

    def unmerge(self, ticket: str) -> Fact[Event]:
        self._bump(ticket)
        return self.say(ticket, TicketUnmerged(target="another"))

    def absorb(self, ticket: str) -> Fact[Event]:
        """Another ticket is merged into this one."""
        self._bump(ticket)
        return self.say(ticket, TicketAbsorbed(sources=()))

    def remove(self, ticket: str, reason: str = "spam") -> Fact[Event]:
        self._bump(ticket)
        return self.say(ticket, TicketRemoved(reason=reason))

    def restore(self, ticket: str) -> Fact[Event]:
        self._bump(ticket)
        return self.say(ticket, TicketRestored(reason="no spam"))

    def change(
        self, ticket: str, *, cause: str | None = None, by_person: bool = False, reopened: bool = False, **changes: Any
    ) -> Fact[Event]:
        """Fields change; the epoch follows."""
        state = self.tickets[ticket]
        found = {key: value for key, value in changes.items() if getattr(state, key) != value}
        said = {key: Change(old=getattr(state, key), new=value) for key, value in found.items()}
        epoch = state.epoch + bool(BUMPS & found.keys())
        self.tickets[ticket] = TicketState.model_validate({**state.model_dump(), **found, "epoch": epoch})
        return self.say(ticket, TicketChanged(changes=said, reopened=reopened, by_person=by_person), cause)

    def say(self, ticket: str, event: Event, cause: str | None = None) -> Fact[Event]:
        """The next fact about a ticket."""
        n = self.numbers[ticket] = self.numbers.get(ticket, 0) + 1
        state = self.tickets[ticket].model_dump_json().encode()
        return Fact(Speaker.INTAKE, ticket, n, event.TYPE, self.now, event, None, cause, state_json=state)

    def _assignment(self, ticket: str, state: TicketState, routed: TicketRouted) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if routed.queue is not None and ("queue" not in self.by_person[ticket] or state.queue is None):
            found["queue"] = routed.queue
        open_ = state.status_category not in ("resolved", "closed")
        if routed.assignee is not None and open_ and state.assignee != routed.assignee:
            found["assignee"] = routed.assignee
            self.given.append(routed.assignee)
        return found

    def _bump(self, ticket: str) -> None:
        state = self.tickets[ticket]
        self.tickets[ticket] = state.model_copy(update={"epoch": state.epoch + 1})
