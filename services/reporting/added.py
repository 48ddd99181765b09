"""What a batch of facts added to the numbers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.reporting.domain.folding import Folding
from services.reporting.domain.tally import RESOLUTION, RESPONSE, Tally


@dataclass(slots=True)
class Added:
    """tallies: what to add, also below 0. durations: new ones, as (measure, priority, seconds), exact."""

    tallies: Counter[Tally] = field(default_factory=Counter)
    durations: list[tuple[str, str, float]] = field(default_factory=list)

    def take(self, folding: Folding, changes: Mapping[Tally, int], contribution: Mapping[Tally, int]) -> None:
        """What one ticket added: what happened once, and by what its contribution, now this, has changed."""
        for tally in folding.happened:
            self.tallies[tally] += 1
        for tally, n in changes.items():
            self.tallies[tally] += n
            if n > 0 and tally.measure in (RESPONSE, RESOLUTION):
                spent = contribution[Tally(f"{tally.measure}_ms", tally.day, "", tally.priority)]
                self.durations.append((tally.measure, tally.priority, spent / 1000))
