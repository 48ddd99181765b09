"""Folds facts in memory as the service does in PostgreSQL: by its pure parts only."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from libs.contracts.event import Event
from libs.contracts.fact import Fact
from services.reporting.domain.contribution import contribution
from services.reporting.domain.cube import Cube
from services.reporting.domain.folding import STEPS, fold
from services.reporting.domain.happening import COUNTS, happened
from services.reporting.domain.period import Period
from services.reporting.domain.tally import STANDING_DAY, Tally, difference
from services.reporting.domain.ticket import Ticket


def tallies_of(facts: Iterable[Fact[Event]]) -> dict[Tally, int]:
    """Fold one fact at a time, adding the difference to the contribution before; zeros are left out."""
    tickets: dict[str, Ticket] = {}
    contributions: defaultdict[str, dict[Tally, int]] = defaultdict(dict)
    summed: Counter[Tally] = Counter()
    for fact in facts:
        if type(fact.data) in COUNTS:
            summed.update(happened([fact]))
        if type(fact.data) in STEPS:
            ticket = tickets.setdefault(fact.subject, Ticket(fact.subject))
            summed.update(fold(ticket, [fact]).happened)
            new = contribution(ticket)
            for tally, n in difference(contributions[fact.subject], new).items():
                summed[tally] += n
            contributions[fact.subject] = new
    return {tally: n for tally, n in summed.items() if n}


def cube_of(facts: Iterable[Fact[Event]], period: Period) -> Cube:
    """The numbers of a period."""
    inside = {
        tally: n
        for tally, n in tallies_of(facts).items()
        if period.start.isoformat() <= tally.day < period.end.isoformat() or tally.day == STANDING_DAY
    }
    return Cube(inside.items())
