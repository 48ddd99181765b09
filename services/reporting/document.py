"""A ticket's history and contribution as its row has them: JSON arrays, which take a third of what names would.

Most tickets have neither answer nor resolution yet; what they do not have is left out at the end.
"""

from collections.abc import Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any

from pydantic_core import from_json, to_json

from libs.contracts.sla import Outcome
from services.reporting.domain.tally import Tally
from services.reporting.domain.ticket import Answer, History, Rating, Resolution, Verdict

_answer = attrgetter(*Answer.__match_args__)
_resolution = attrgetter(*Resolution.__match_args__)
_verdict = attrgetter(*Verdict.__match_args__)
_rating = attrgetter(*Rating.__match_args__)


def history_written(history: History) -> str:
    """As `history_read` reads it, in the order of its fields: SLOWEST in queries.py relies on it."""
    began = (history.channel, history.tags, history.opening_message, history.waits_since)
    if not (history.answer or history.resolutions or history.verdicts or history.rating):
        return to_json(began).decode()
    went_on = (
        history.answer and _answer(history.answer),
        [_resolution(one) for one in history.resolutions],
        {clock: _verdict(one) for clock, one in history.verdicts.items()},
        history.rating and _rating(history.rating),
    )
    return to_json((*began, *went_on)).decode()


def history_read(text: str) -> History:
    """The inverse of `history_written`."""
    channel, tags, opening_message, waits_since, *went_on = from_json(text)
    history = History(channel, tags, opening_message, _instant(waits_since))
    if went_on:
        answer, resolutions, verdicts, rating = went_on
        history.answer = answer and Answer(datetime.fromisoformat(answer[0]), *answer[1:])
        history.resolutions = [_resolution_read(*one) for one in resolutions]
        history.verdicts = {clock: _verdict_read(*one) for clock, one in verdicts.items()}
        history.rating = rating and Rating(datetime.fromisoformat(rating[0]), rating[1])
    return history


def contribution_written(contribution: Mapping[Tally, int]) -> str:
    """As `contribution_read` reads it."""
    return to_json([(*tally, n) for tally, n in contribution.items()]).decode()


def contribution_read(text: str) -> dict[Tally, int]:
    """The inverse of `contribution_written`."""
    parts: list[list[Any]] = from_json(text)
    return {Tally._make(part[:-1]): part[-1] for part in parts}


def _resolution_read(at: str, *others: Any) -> Resolution:
    resolution = Resolution(datetime.fromisoformat(at), *others)
    resolution.reopened_at = others[-1] and datetime.fromisoformat(others[-1])
    return resolution


def _verdict_read(outcome: str, deadline: str, *others: Any) -> Verdict:
    return Verdict(Outcome(outcome), datetime.fromisoformat(deadline), *others)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
