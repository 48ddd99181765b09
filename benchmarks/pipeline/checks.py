"""Nothing lost, nothing done twice: every conversation against what became of it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.pipeline.journeys import Journey


@dataclass(frozen=True, slots=True)
class Account:
    """lost: conversations whose ticket is missing or lacks a fact, an agent or its place in the counters.
    duplicated: tickets too many, and tickets that were opened, routed, assigned or told again."""

    published: int
    lost: int
    duplicated: int

    @property
    def balanced(self) -> bool:
        """Whether everything was done exactly once."""
        return self.lost == 0 and self.duplicated == 0


def account(published: Iterable[str], journeys: Sequence[Journey]) -> Account:
    """Compare what was published with what was found."""
    wanted = set(published)
    complete = {journey.conversation for journey in journeys if journey.complete}
    tickets = Counter(journey.conversation for journey in journeys)
    surplus = sum(count - 1 for count in tickets.values())
    strangers = sum(1 for journey in journeys if journey.conversation not in wanted)
    repeated = sum(journey.repeated for journey in journeys)
    return Account(len(wanted), len(wanted - complete), surplus + strangers + repeated)
