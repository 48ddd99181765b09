"""A desk with the example configuration, and what lies on it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from libs.contracts.sla import TargetState
from services.notifier.configuration import NotifierConfiguration, parse
from services.notifier.domain.acknowledgment import acknowledge
from services.notifier.domain.desk import Agent, Desk, Queue
from services.notifier.domain.notice import Notice
from services.notifier.domain.ticket import Promise, Ticket
from signalbox.configuration import read_configuration

FILES = read_configuration(Path(__file__).parents[3] / "config")
CONFIG: NotifierConfiguration = parse(FILES)
MONDAY = datetime(2026, 6, 15, 8, 0, tzinfo=UTC)
"""Ten o'clock in Berlin, on a working day."""


def desk(now: datetime = MONDAY, **mail: Any) -> Desk:
    """A desk at an instant; `mail` changes keys of mail.yaml."""
    config = parse({**FILES, "mail.yaml": {**FILES["mail.yaml"], **mail}}) if mail else CONFIG
    made = Desk(config, now)
    made.queues = {
        "general": Queue("general", "lena", "office"),
        "orphan": Queue("orphan", None, "office"),
    }
    made.agents = {
        "mira": Agent("mira", "mira@lumen.example.com", True),
        "paul": Agent("paul", "paul@lumen.example.com", False),
        "lena": Agent("lena", "lena@lumen.example.com", True),
        "nomail": Agent("nomail", None, True),
    }
    return made


def ticket(**changes: Any) -> Ticket:
    """A ticket from a mail that is promised an answer in two hours."""
    now = changes.pop("now", MONDAY)
    deadline = changes.pop("deadline", now + timedelta(hours=2))
    state = changes.pop("promised", TargetState.RUNNING)
    given: dict[str, Any] = {
        "id": "t1",
        "opened_at": now,
        "reference": "SB-10427",
        "channel": "email",
        "subject": "My lamp flickers",
        "customer_email": "ann@example.org",
        "message_id": "first@example.org",
        "thread": ("older@example.org", "first@example.org"),
        "queue": "general",
        "promise": Promise("t1/1", now, state.value, deadline, "office"),
    }
    return Ticket(**{**given, **changes})


def acknowledged(made: Desk, *tickets: Ticket) -> list[Notice]:
    """What the desk makes of these tickets."""
    for one in tickets:
        acknowledge(one, made, None)
    return made.notices
