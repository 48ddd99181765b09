"""The configuration under load: the example's rules, a team that is always there and never full."""

from pathlib import Path
from shutil import copytree
from typing import Any

import yaml

EXAMPLE = Path(__file__).parents[2] / "config"
AGENTS = 24
SKILLS = ["billing", "technical", "senior", "german", "french", "spanish"]
ROOM = 100_000


def write_configuration(folder: Path) -> Path:
    """Put it into `folder`, which must not exist.

    Queues are open around the clock, so that a run at night assigns as one at noon does; the clocks of chats run in
    the hours of the office, so that deadlines are computed over nights, weekends and holidays.
    """
    copytree(EXAMPLE, folder)
    roster = _read(folder / "agents.yaml")
    queues = roster["queues"]
    roster["agents"] = {f"agent{number:02d}": _agent(number, sorted(queues)) for number in range(AGENTS)}
    for queue in queues.values():
        queue |= {"lead": "agent00", "schedule": "always"}
    _write(folder / "agents.yaml", roster)
    promises = _read(folder / "sla.yaml")
    for policy in promises["policies"]:
        policy["schedule"] = "office"
    _write(folder / "sla.yaml", promises)
    return folder


def _agent(number: int, queues: list[str]) -> dict[str, Any]:
    return {
        "name": f"Agent {number}",
        "email": f"agent{number:02d}@support.example",
        "role": "lead" if number == 0 else "agent",
        "skills": SKILLS,
        "queues": queues,
        "capacity": ROOM,
    }


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _write(path: Path, content: Any) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
