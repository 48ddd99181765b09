"""What the checker finds. Everything but the counts of what was there has to be zero."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Findings:
    """Faults by name, each with the cases that show it, and how much was looked at."""

    looked_at: dict[str, int] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, cases: list[str]) -> None:
        """Cases of one fault; none is what one hopes for, and is shown as well."""
        self.faults.setdefault(name, []).extend(cases)

    @property
    def bad(self) -> dict[str, list[str]]:
        """The faults that have cases, with the first few of them."""
        return {name: [f"{len(cases)} cases", *cases[:5]] for name, cases in self.faults.items() if cases}

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
