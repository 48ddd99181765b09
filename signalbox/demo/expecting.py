"""Whether everything came of the day that has to come of it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from signalbox.demo.day import Expectation
from signalbox.failure import Failure

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """An expectation, and how many entries of the document fit it."""

    expectation: Expectation
    found: int

    @property
    def holds(self) -> bool:
        """Whether so many will do."""
        return self.expectation.count.holds(self.found)


def judge(expectations: Iterable[Expectation], document: Document) -> list[Verdict]:
    """Look for each expectation in the document; Failure for a list that it does not have."""
    return [Verdict(each, _count(each, document)) for each in expectations]


def _count(expectation: Expectation, document: Document) -> int:
    rows = document.get(expectation.list_name)
    if not isinstance(rows, list):
        raise Failure(f"expect: {expectation.what}: the document has no list {expectation.list_name!r}")
    return sum(fits(row, expectation.where) for row in rows)


def fits(row: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    """Whether an entry has all values. `{has: text}` looks for a part, `{not: value}` for any other value; of a list
    one entry is enough."""
    return all(_fits(row.get(name), wanted) for name, wanted in where.items())


def _fits(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping) and "not" in wanted:
        return not _fits(value, wanted["not"])
    if isinstance(value, list):
        return any(_fits(each, wanted) for each in value)
    if isinstance(wanted, Mapping):
        return isinstance(value, str) and str(wanted["has"]) in value
    return bool(value == wanted)
