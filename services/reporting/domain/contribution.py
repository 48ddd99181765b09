"""What one ticket adds to the numbers, as a function of what is known of it.

It does not depend on the order in which facts of different speakers came, so the numbers do not either; and what it
added before can be taken back exactly.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from libs.contracts.sla import Outcome
from services.reporting.domain.buckets import bucket_of
from services.reporting.domain.period import Grain, start_of
from services.reporting.domain.tally import RESOLUTION, RESPONSE, STANDING_DAY, Tally
from services.reporting.domain.ticket import Resolution, Ticket

REOPENED_WITHIN = timedelta(days=7)
"""A reopening later than this is another matter (behaviour Q-5)."""

Part = tuple[Tally, int]


def contribution(ticket: Ticket) -> dict[Tally, int]:
    """All that the ticket adds now."""
    parts = dict(_verdicts(ticket)) if ticket.history.verdicts else {}
    if ticket.created_at is not None and ticket.gone is None:
        _create(parts, ticket, _day(ticket.created_at))
        if ticket.history.answer is not None:
            parts.update(_first_response(ticket))
        if ticket.history.resolutions:
            parts.update(_cohorts(ticket.history.resolutions))
            parts.update(_resolution(ticket, ticket.created_at))
        if ticket.history.rating is not None:
            rating = ticket.history.rating
            parts[Tally("rated", _day(rating.at), str(rating.score))] = 1
    return parts


def _create(parts: dict[Tally, int], ticket: Ticket, day: str) -> None:
    """Volume by what the ticket is now (behaviour Q-6), and where it stands."""
    history = ticket.history
    parts[Tally("created", day, history.channel, ticket.priority, ticket.category, ticket.queue)] = 1
    for tag in history.tags or ("",):
        parts[Tally("tagged", day, tag)] = 1
    state = f"{ticket.status_category}:{ticket.status}"
    parts[Tally("standing", STANDING_DAY, state, ticket.priority, "", ticket.queue, ticket.assignee)] = 1


def _first_response(ticket: Ticket) -> Iterator[Part]:
    """From creation to the first public message of a human agent, in the week of the answer (behaviour L-5)."""
    answer, since = ticket.history.answer, ticket.history.waits_since
    if answer is not None and since is not None:
        yield from _duration(RESPONSE, since, answer.at, answer.priority)


def _resolution(ticket: Ticket, created_at: datetime) -> Iterator[Part]:
    """From creation to the last time it was resolved; nothing while it is worked on again."""
    last = ticket.history.resolutions[-1]
    if last.reopened_at is None:
        yield Tally("resolved", _day(last.at), "", last.priority, last.category, last.queue, last.agent), 1
        yield from _duration(RESOLUTION, created_at, last.at, last.priority)


def _cohorts(resolutions: list[Resolution]) -> Iterator[Part]:
    """Whether it was resolved in a period, and whether such a resolution did not hold: once a period (Q-5)."""
    for grain in Grain:
        for resolution in resolutions:
            start = start_of(grain, _date(resolution.at)).isoformat()
            yield Tally("solved_tickets", start, grain), 1
            if resolution.reopened_at is not None and resolution.reopened_at - resolution.at <= REOPENED_WITHIN:
                yield Tally("reopened_tickets", start, grain), 1


def _verdicts(ticket: Ticket) -> Iterator[Part]:
    """Verdicts by the day of their deadline (behaviour Q-4). They stay, whatever becomes of the ticket."""
    summed: dict[Tally, int] = {}
    for clock, verdict in ticket.history.verdicts.items():
        metric, _, _ = clock.partition("/")
        day = _day(verdict.deadline)
        kept = [Tally(verdict.outcome, day, metric, verdict.priority)]
        if verdict.on_change and verdict.outcome is Outcome.BREACHED:
            kept.append(Tally("breached_on_change", day, metric, verdict.priority))
        for tally in kept:
            summed[tally] = summed.get(tally, 0) + 1
    yield from summed.items()


def _duration(measure: str, start: datetime, end: datetime, priority: str) -> Iterator[Part]:
    """A duration in its bucket, and its milliseconds for the mean."""
    seconds, day = max((end - start).total_seconds(), 0.0), _day(end)
    yield Tally(measure, day, "", priority, bucket=bucket_of(seconds)), 1
    yield Tally(f"{measure}_ms", day, "", priority), round(seconds * 1000)


def _day(moment: datetime) -> str:
    return _date(moment).isoformat()


def _date(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
