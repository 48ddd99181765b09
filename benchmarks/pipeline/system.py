"""A running system under test, whichever it is: its processes, and how to reach its servers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SERVICES = ("intake", "router", "sla", "notifier", "reporting")
COMMIT_TIMES = {"track_commit_timestamp": "on"}
"""PostgreSQL notes when each transaction committed: that is how we know, afterwards, when a ticket was counted."""


@dataclass(frozen=True, slots=True)
class System:
    """counted: SQL for (subject, counted_at): when reporting had stored the latest fact about each ticket.

    smtp_port, intake, token: the doors for mail, where there are any.
    """

    name: str
    processes: Mapping[str, int]
    admin: str = field(repr=False)
    source: str = field(repr=False)
    postgres: str = field(repr=False)
    counted: str
    smtp_port: int = 0
    intake: str = ""
    token: str = field(default="", repr=False)
