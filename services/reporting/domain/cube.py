"""Tallies of one period, summed along whatever a report asks for."""

from collections import defaultdict
from collections.abc import Iterable

from services.reporting.domain.tally import Tally

DIMENSIONS = frozenset({"day", "detail", "priority", "category", "queue", "agent"})


class Cube:
    """Numbers of one period, by measure."""

    def __init__(self, tallies: Iterable[tuple[Tally, int]]) -> None:
        self._of: defaultdict[str, list[tuple[Tally, int]]] = defaultdict(list)
        for tally, n in tallies:
            self._of[tally.measure].append((tally, n))

    def total(self, measure: str, **where: str) -> int:
        """The sum of a measure where dimensions have these values."""
        return sum(n for _, n in self._where(measure, where))

    def by(self, dimension: str, measure: str, **where: str) -> dict[str, int]:
        """Sums by the values of a dimension, sorted by value; sums of 0 are left out."""
        summed: defaultdict[str, int] = defaultdict(int)
        for tally, n in self._where(measure, where):
            summed[getattr(tally, dimension)] += n
        return {value: n for value, n in sorted(summed.items()) if n}

    def histogram(self, measure: str, **where: str) -> dict[int, int]:
        """Counts of durations by bucket."""
        summed: defaultdict[int, int] = defaultdict(int)
        for tally, n in self._where(measure, where):
            summed[tally.bucket] += n
        return {bucket: n for bucket, n in summed.items() if n}

    def values(self, dimension: str, *measures: str) -> list[str]:
        """The values of a dimension that any of these measures has counted something for, sorted."""
        return sorted({value for measure in measures for value in self.by(dimension, measure)})

    def _where(self, measure: str, where: dict[str, str]) -> Iterable[tuple[Tally, int]]:
        rows = self._of[measure]
        if not where:
            return rows
        return [(t, n) for t, n in rows if all(getattr(t, name) == value for name, value in where.items())]
