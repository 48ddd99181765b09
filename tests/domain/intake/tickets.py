"""Tickets to start tests from."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from libs.contracts.ticket import MessageKind
from services.intake.domain.changing import change
from services.intake.domain.decision import SYSTEM, By
from services.intake.domain.message import Customer, Message
from services.intake.domain.opening import Opening, open_ticket
from services.intake.domain.status import Statuses
from services.intake.domain.ticket import Ticket
from services.intake.status_file import read_statuses

FILE = Path(__file__).resolve().parents[3] / "config" / "statuses.yaml"
STATUSES: Statuses = read_statuses(yaml.safe_load(FILE.read_text()))
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
MIRA = By.agent_named("mira")
ADA = Customer("c1", "Ada", "ada@example.org", tier="vip")


def written(kind: MessageKind = MessageKind.CUSTOMER, text: str = "hello", **fields: Any) -> Message:
    return Message("m1", kind, text, LATER, "chat", **fields)


def ticket(status: str = "open", **fields: Any) -> Ticket:
    """A new ticket, then in this status."""
    opening = Opening(id="t1", reference="10019", channel="chat", subject="Lamp", customer=ADA, **fields)
    new = open_ticket(opening, STATUSES, NOW, SYSTEM).ticket
    path = {"open": (), "closed": ("resolved", "closed")}.get(status, (status,))
    for step in path:
        new = change(new, {"status": step}, STATUSES, NOW, SYSTEM).ticket
    return new
