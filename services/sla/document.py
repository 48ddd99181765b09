"""A ticket's clocks as its row has them: JSON arrays of the fields in their order, a third of what names would take.

A field that is added comes last and has a default: rows from before are read as before.
"""

from datetime import datetime
from typing import Any

from pydantic_core import from_json, to_json

from libs.contracts.sla import Metric, Outcome
from services.sla.domain.clock import Absorbed, Answer, Clock, TicketClocks, Verdict, values
from services.sla.domain.timeline import Moment

METRICS = {metric.value: metric for metric in Metric}
OUTCOMES: dict[str | None, Outcome | None] = {None: None, **{outcome.value: outcome for outcome in Outcome}}


def written(ticket: TicketClocks) -> str:
    """As `read` reads it."""
    fields = list(values(ticket))
    fields[TIMELINE] = [values(moment) for moment in ticket.timeline]
    fields[CLOCKS] = [_clock(clock) for clock in ticket.clocks]
    fields[ANSWERS] = [values(answer) for answer in ticket.answers]
    fields[ABSORBED] = [values(one) for one in ticket.absorbed]
    return to_json(fields).decode()


def read(text: str) -> TicketClocks:
    """The inverse of `written`."""
    fields: list[Any] = from_json(text)
    for place in INSTANTS:
        fields[place] = _instant(fields[place])
    fields[TIMELINE] = tuple([Moment(datetime.fromisoformat(at), *rest) for at, *rest in fields[TIMELINE]])
    fields[CLOCKS] = tuple([_read_clock(*each) for each in fields[CLOCKS]])
    fields[ANSWERS] = tuple([Answer(id, datetime.fromisoformat(at)) for id, at in fields[ANSWERS]])
    fields[ABSORBED] = tuple([Absorbed(id, datetime.fromisoformat(at)) for id, at in fields[ABSORBED]])
    return TicketClocks(*fields)


_PLACES = TicketClocks.__match_args__
TIMELINE, CLOCKS, ANSWERS, ABSORBED = map(_PLACES.index, ("timeline", "clocks", "answers", "absorbed"))
INSTANTS = tuple(map(_PLACES.index, ("opened_at", "starts_at", "waiting_since")))


def _clock(clock: Clock) -> tuple[Any, ...]:
    """Without what nothing has happened to: most clocks end at their warning."""
    if clock.verdict is None and not (clock.ended_at or clock.said or clock.warned or clock.carried or clock.dropped):
        return clock.metric, clock.instance, clock.started_at, clock.target, clock.deadline, clock.warn_at
    return tuple([values(value) if isinstance(value, Verdict) else value for value in values(clock)])


def _read_clock(
    metric: str,
    instance: int,
    started_at: str,
    target: int | None,
    deadline: str | None,
    warn_at: str | None,
    ended_at: str | None = None,
    verdict: list[Any] | None = None,
    said: str | None = None,
    withdrawn: bool = False,
    warned: str | None = None,
    *rest: Any,
) -> Clock:
    return Clock(
        METRICS[metric],
        instance,
        datetime.fromisoformat(started_at),
        target,
        _instant(deadline),
        _instant(warn_at),
        _instant(ended_at),
        None if verdict is None else _read_verdict(*verdict),
        OUTCOMES[said],
        withdrawn,
        _instant(warned),
        *rest,
    )


def _read_verdict(outcome: str, at: str, deadline: str, *rest: Any) -> Verdict:
    return Verdict(Outcome(outcome), datetime.fromisoformat(at), datetime.fromisoformat(deadline), *rest)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
