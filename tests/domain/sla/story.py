"""Tells the story of one ticket to the clocks: facts in, what is said out."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import yaml

from libs.contracts.event import Event, Speaker
from libs.contracts.fact import Fact
from libs.contracts.sla import Metric, TargetsSet
from libs.contracts.ticket import MessageKind, TicketChanged, TicketMessageAdded, TicketOpened
from libs.contracts.ticket_state import TicketState
from services.sla.domain import decide
from services.sla.domain.clock import Clock, TicketClocks
from services.sla.domain.due import after_time, next_due
from services.sla.domain.speak import after_fact
from services.sla.domain.state import State
from services.sla.handlers import DECIDES
from services.sla.rules import Rules, read_rules

CONFIG = Path(__file__).parents[3] / "config"
TODAY = datetime(2026, 6, 1, tzinfo=UTC)
THURSDAY = datetime(2026, 6, 11, 10, 0, tzinfo=UTC)
"""12:00 in Berlin."""

E = TypeVar("E", bound=Event)

PAUSED = {"first_response": False, "next_response": False, "resolution": False}
STATUSES: dict[str, dict[str, Any]] = {
    "open": {"status_category": "open"},
    "pending": {"status_category": "pending", "clocks": PAUSED},
    "resolved": {"status_category": "resolved", "clocks": PAUSED},
    "closed": {"status_category": "closed", "clocks": PAUSED},
}


def files() -> dict[str, Any]:
    """The example configuration, fresh."""
    return {name: yaml.safe_load((CONFIG / name).read_text()) for name in ("sla.yaml", "worktime.yaml")}


def one_policy(targets: dict[str, Any], schedule: str = "office", **more: Any) -> Rules:
    """Rules with one policy for all, the same targets at every priority unless `targets` names priorities."""
    written = files()
    every = targets if "high" in targets else dict.fromkeys(("low", "medium", "high", "critical"), targets)
    written["sla.yaml"] = {
        "default_schedule": schedule,
        "policies": [{"key": "all", "schedule": schedule, "targets": every}],
        **more,
    }
    return read_rules(written, TODAY)


@dataclass
class Story:
    """One ticket, told fact by fact. `said` is everything that was said; `now` the time at which it is all heard."""

    rules: Rules = field(default_factory=lambda: read_rules(files(), TODAY))
    ticket: TicketClocks | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    said: list[Event] = field(default_factory=list)
    n: int = 0

    @property
    def told(self) -> TicketClocks:
        """The ticket, which was opened."""
        assert self.ticket is not None
        return self.ticket

    def hear(self, at: datetime, event: Event, now: datetime | None = None, **fields: Any) -> list[Event]:
        """A fact that occurred at `at`, heard at `now`; gives what was said because of it."""
        self.n += 1
        self.fields |= {"updated_at": at, **fields}
        state = TicketState.model_validate({"id": "t1", "channel": "email", **STATUSES["open"], **self.fields})
        heard = State(state.model_dump_json(exclude_defaults=True))
        fact: Fact[Any] = Fact(Speaker.INTAKE, "t1", self.n, event.TYPE, at, event, payload=event.wire_json())
        before = self.ticket
        if isinstance(event, TicketOpened):
            after = decide.opened(fact, heard, self.rules)
        else:
            after = DECIDES[type(event)](self.told, fact, heard, self.rules)
        spoken = after_fact(before, after, state.routed, now or at, self.rules)
        self.ticket = spoken.ticket
        self.said += spoken.events
        return list(spoken.events)

    def open(self, at: datetime, status: str = "open", **fields: Any) -> list[Event]:
        """The customer opens it; `fields` are those of the header."""
        created = {"created_at": at, "status": status, **STATUSES[status], **fields}
        return self.hear(at, TicketOpened(channel=str(fields.get("channel", "email"))), **created)

    def change(self, at: datetime, now: datetime | None = None, **fields: Any) -> list[Event]:
        """Fields change."""
        return self.hear(at, TicketChanged(changes={}), now, **fields)

    def status(self, at: datetime, status: str, now: datetime | None = None) -> list[Event]:
        """The status changes, and with it which clocks run."""
        return self.change(at, now, status=status, **{"clocks": {}, **STATUSES[status]})

    def answer(self, at: datetime, message_id: str = "a1", now: datetime | None = None) -> list[Event]:
        """A person of the team writes publicly."""
        return self.message(at, MessageKind.AGENT, True, message_id, now)

    def ask(self, at: datetime, message_id: str = "c1", now: datetime | None = None) -> list[Event]:
        """The customer writes."""
        return self.message(at, MessageKind.CUSTOMER, True, message_id, now)

    def message(
        self, at: datetime, kind: MessageKind, human: bool, message_id: str = "m1", now: datetime | None = None
    ) -> list[Event]:
        """Anybody's public message."""
        return self.hear(at, TicketMessageAdded(message_id=message_id, kind=kind, human=human, channel="email"), now)

    def wait_until(self, now: datetime) -> list[Event]:
        """Time passes: whatever becomes due is said, one timer after the other."""
        said: list[Event] = []
        while (due := next_due(self.told)) is not None and due <= now:
            spoken = after_time(self.told, due, now, self.rules)
            self.ticket = spoken.ticket
            said += spoken.events
        self.said += said
        return said

    def clock(self, metric: Metric, instance: int = 1) -> Clock:
        """One of its clocks."""
        return next(c for c in self.told.clocks if (c.metric, c.instance) == (metric, instance))

    @property
    def first_response(self) -> Clock:
        return self.clock(Metric.FIRST_RESPONSE)

    @property
    def resolution(self) -> Clock:
        return self.clock(Metric.RESOLUTION)

    def all_said(self, kind: type[E]) -> list[E]:
        """Everything of one kind that was said."""
        return [event for event in self.said if isinstance(event, kind)]

    def last_targets(self) -> TargetsSet:
        """The targets said last."""
        return self.all_said(TargetsSet)[-1]
