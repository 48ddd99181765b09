"""The report of a run: a table for people, JSON for others."""

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.faults.harness.findings import Findings
from tests.faults.harness.killer import Kill
from tests.faults.harness.moments import Moment

FOLDER = "SIGNALBOX_FAULT_REPORTS"


@dataclass
class Report:
    """One run. figures: measured seconds and counts by name."""

    name: str
    kills: Sequence[Kill] = ()
    findings: Findings = field(default_factory=Findings)
    figures: dict[str, Any] = field(default_factory=dict)

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "run": self.name,
            "kills": {victim: dict(moments) for victim, moments in self._by_victim().items()},
            "each_kill": [
                {"victim": kill.victim, "moment": kill.moment, "at": kill.at.isoformat(), "back_seconds": kill.back}
                for kill in self.kills
            ],
            "figures": self.figures,
            **self.findings.as_document(),
        }

    def publish(self, folder: Path | None = None) -> None:
        """Print it, and write it to a file if a folder is named, here or by SIGNALBOX_FAULT_REPORTS."""
        console = Console(width=110)
        console.print(f"\n[bold]{self.name}[/bold]")
        if self.kills:
            console.print(self._table())
        for name, value in {**self.findings.looked_at, **self.figures}.items():
            console.print(f"  {name}: {value}")
        console.print(f"  faults: {self.findings.bad or 'none'}")
        named = folder or (Path(os.environ[FOLDER]) if FOLDER in os.environ else None)
        if named is not None:
            named.mkdir(parents=True, exist_ok=True)
            file = named / f"{self.name.replace(' ', '-')}.json"
            file.write_text(json.dumps(self.as_document(), indent=2) + "\n")

    def _by_victim(self) -> dict[str, Counter[str]]:
        found: dict[str, Counter[str]] = {}
        for kill in self.kills:
            found.setdefault(kill.victim, Counter())[kill.moment] += 1
        return found

    def _table(self) -> Table:
        table = Table("killed by -9", "times", *Moment, "ready again after (median)", box=None)
        for victim, moments in self._by_victim().items():
            back = median(kill.back for kill in self.kills if kill.victim == victim)
            counts = [str(moments[moment]) for moment in Moment]
            table.add_row(victim, str(moments.total()), *counts, f"{back:.1f} s")
        return table
