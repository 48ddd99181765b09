"""Small configurations of the router."""

from collections.abc import Sequence
from typing import Any

OFFICE = {
    "timezone": "Europe/Berlin",
    "hours": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
}


def queue(**more: Any) -> dict[str, Any]:
    return {"name": "A queue", "lead": "lead", **more}


def agent(*queues: str, skills: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    return {"queues": list(queues or ("general",)), "skills": list(skills), **more}


def files(
    agents: dict[str, Any],
    queues: dict[str, Any] | None = None,
    assignment: Sequence[dict[str, Any]] = (),
    triage: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """A bundle with one queue `general` unless others are given, whose lead works none of them."""
    roster = {"queues": queues or {"general": queue()}, "agents": {"lead": {"role": "lead"}, **agents}}
    routing = {"triage": list(triage), "assignment": list(assignment), "fallback": {"queue": "general"}}
    worktime = {"schedules": {"office": OFFICE, "always": {"timezone": "UTC", "hours": "always"}}}
    return {"routing.yaml": routing, "agents.yaml": roster, "worktime.yaml": worktime}
