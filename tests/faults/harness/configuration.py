"""The configuration under which faults are tried: open around the clock, room for everybody, clocks that run out."""

import shutil
from pathlib import Path
from typing import Any

import yaml

SHIPPED = Path(__file__).parents[3] / "config"
QUEUES = ("general", "billing", "technical")
AGENTS = tuple(f"agent{number}" for number in range(1, 7))

ROUTING: dict[str, Any] = {
    "triage": [
        {
            "id": "billing",
            "when": {"field": "subject", "operator": "word", "value": ["invoice"]},
            "then": {"category": "billing"},
        },
        {
            "id": "default-priority",
            "salience": -100,
            "when": {"field": "priority", "operator": "is_unset"},
            "then": {"priority": "medium"},
        },
    ],
    "assignment": [
        {
            "id": "to-billing",
            "when": {"field": "category", "operator": "is", "value": "billing"},
            "then": {"queue": "billing"},
        },
        {
            "id": "to-technical",
            "when": {"field": "channel", "operator": "is", "value": "chat"},
            "then": {"queue": "technical"},
        },
    ],
    "fallback": {"queue": "general"},
}
ROSTER: dict[str, Any] = {
    "queues": {
        "general": {"name": "General", "lead": "lead", "schedule": "always", "strategy": "round_robin"},
        "billing": {"name": "Billing", "lead": "lead", "schedule": "always", "strategy": "round_robin"},
        "technical": {"name": "Technical", "lead": "lead", "schedule": "always", "strategy": "balanced"},
    },
    "agents": {
        "lead": {"role": "lead", "email": "lead@support.example"},
        **{key: {"email": f"{key}@support.example", "queues": list(QUEUES)} for key in AGENTS},
    },
}
PROMISES: dict[str, Any] = {
    "default_priority": "medium",
    "default_schedule": "always",
    "warn_at": 0.5,
    "policies": [
        {
            "key": "soon",
            "name": "Everybody, soon",
            "schedule": "always",
            "targets": {"medium": {"first_response": "40s", "resolution": "8h"}},
        }
    ],
}


def write_configuration(folder: Path) -> Path:
    """A copy of the shipped configuration with rules, people and promises of our own."""
    shutil.copytree(SHIPPED, folder)
    for name, content in (("routing.yaml", ROUTING), ("agents.yaml", ROSTER), ("sla.yaml", PROMISES)):
        (folder / name).write_text(yaml.safe_dump(content, sort_keys=False))
    return folder
