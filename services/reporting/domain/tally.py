"""The one form in which every number is kept: a tally, counted up and down."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

STANDING_DAY = date.min.isoformat()
"""The day of tallies that say what is now, not what happened on a day."""

RESPONSE, RESOLUTION = "first_response", "resolution"


class Tally(NamedTuple):
    """What is counted. Text that does not apply, or is not set, is empty.

    measure: what happened; docs/reporting.md lists them. day: ISO date, UTC. detail: what the measure
    needs beside the dimensions: a channel, a tag, an SLA metric, a status, a score. agent: key of the agent it is
    attributed to. bucket: the log bucket of a duration, for histograms.
    """

    measure: str
    day: str
    detail: str = ""
    priority: str = ""
    category: str = ""
    queue: str = ""
    agent: str = ""
    bucket: int = 0


Tallies = Mapping[Tally, int]


def difference(old: Tallies, new: Tallies) -> dict[Tally, int]:
    """What to add so that `new` is counted in place of `old`: exact, because numbers are whole."""
    if old == new:
        return {}
    if not old:
        return dict(new)
    changed = {}
    for tally, n in new.items():
        before = old.get(tally, 0)
        if n != before:
            changed[tally] = n - before
    for tally, n in old.items():
        if tally not in new:
            changed[tally] = -n
    return changed


def total(parts: Iterable[Tallies]) -> Counter[Tally]:
    """The sum of tallies; what cancels out stays with 0."""
    summed: Counter[Tally] = Counter()
    for part in parts:
        for tally, n in part.items():
            summed[tally] += n
    return summed
