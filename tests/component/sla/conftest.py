"""The service sla on real servers, and somebody who speaks as intake and as the router."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import pytest

from libs.chassis.migrations import versions_folder
from libs.chassis.process import Process
from libs.chassis.service import Service
from libs.chassis.settings import Settings
from libs.contracts import routing, ticket
from libs.contracts.event import Event, Speaker
from libs.contracts.sla import SlaCorrected, SlaDecided, SlaWarned, TargetsSet
from libs.contracts.ticket_state import TicketState
from services.sla.app import SETTINGS, build
from services.sla.handlers import HEARS
from tests.domain.sla.story import STATUSES, files
from tests.support.stack import Stack
from tests.support.toy.service import VERSIONS

E = TypeVar("E", bound=Event)
SAID = {event.TYPE: event for event in (TargetsSet, SlaWarned, SlaDecided, SlaCorrected)}
TARGETS = {
    "critical": {"first_response": "2s", "resolution": "4s"},
    "high": {"first_response": "1h", "resolution": "8h"},
    "medium": {"first_response": "4h", "resolution": "24h"},
    "low": {"first_response": "8h", "resolution": "48h"},
}


def configuration(**changes: Any) -> dict[str, Any]:
    """The example hours and one policy around the clock, in seconds where it is critical."""
    policy = {"key": "quick", "schedule": "queue", "targets": {**TARGETS, **changes}}
    return {**files(), "sla.yaml": {"default_schedule": "always", "policies": [policy]}}


@dataclass
class Ticket:
    """One ticket, as intake would tell of it."""

    intake: Process
    id: str = field(default_factory=lambda: str(uuid4()))
    n: int = 0
    fields: dict[str, Any] = field(default_factory=dict)

    async def say(self, event: Event, at: datetime | None = None, **fields: Any) -> datetime:
        """A fact about it, with its state after the fact; gives the instant."""
        self.n += 1
        at = at or datetime.now(UTC)
        self.fields = {"id": self.id, "channel": "email", "status": "open", **self.fields, **fields, "updated_at": at}
        self.fields.setdefault("created_at", at)
        state = TicketState.model_validate({**STATUSES[self.fields["status"]], **self.fields})
        async with self.intake.transactions.begin() as transaction:
            await transaction.connection.execute("SELECT 1")
            json = state.model_dump_json(exclude_defaults=True).encode()
            transaction.say(event, self.id, n=self.n, occurred_at=at, state=json)
        return at

    async def open(self, **fields: Any) -> datetime:
        return await self.say(ticket.TicketOpened(channel="email"), **fields)

    async def change(self, at: datetime | None = None, **fields: Any) -> datetime:
        return await self.say(ticket.TicketChanged(changes={}), at, **fields)

    async def answer(self, at: datetime | None = None) -> datetime:
        message = ticket.TicketMessageAdded(
            message_id=uuid4().hex, kind=ticket.MessageKind.AGENT, human=True, channel="email"
        )
        return await self.say(message, at)


@dataclass
class Desk:
    """The service under test and the two that it hears."""

    stack: Stack
    sla: Process
    intake: Process
    router: Process

    def ticket(self) -> Ticket:
        return Ticket(self.intake)

    async def said(self, of: Ticket, kind: type[E]) -> list[E]:
        """What sla said of a ticket, of one kind, in order."""
        return [event for event in await self.everything(of) if isinstance(event, kind)]

    async def everything(self, of: Ticket) -> list[Event]:
        async with self.sla.database.connection() as connection:
            rows = await connection.fetch("SELECT type, data FROM events WHERE subject = $1 ORDER BY n", of.id)
        return [SAID[row["type"]].model_validate_json(row["data"]) for row in rows]

    def client(self) -> httpx.AsyncClient:
        return self.stack.client(self.sla)


def _speaking(name: str, speaker: Speaker, says: tuple[type[Event], ...], settings: Settings) -> Service:
    return Service(name=name, version="0", settings=settings, speaker=speaker, says=says, migrations=VERSIONS)


@pytest.fixture(scope="module")
async def desk(stack: Stack) -> AsyncIterator[Desk]:
    hears: dict[str, tuple[type[Event], ...]] = {"intake": (TargetsSet,), "router": (SlaDecided,), "sla": HEARS}
    await stack.provision(hears, lambda name: versions_folder(name) if name == "sla" else VERSIONS)
    await stack.configure(configuration())
    intake = _speaking("intake", Speaker.INTAKE, (ticket.TicketOpened,), stack.settings(Settings, "intake"))
    router = _speaking("router", Speaker.ROUTER, (routing.QueueChanged,), stack.settings(Settings, "router"))
    async with (
        stack.running(intake) as one,
        stack.running(router) as two,
        stack.running(build(stack.settings(SETTINGS, "sla"))) as sla,
    ):
        yield Desk(stack, sla, one, two)
