"""Questions about working time as records: what `signalbox worktime compute` reads and answers."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from libs.worktime.instants import OutOfRange
from libs.worktime.notation import Instant
from libs.worktime.problems import first_problem
from libs.worktime.schedule import ScheduleError, parse, refuse_stalled
from libs.worktime.worktime import Worktime

Answer = dict[str, str | float]
"""{"id", "due"} with due in UTC, or {"id", "seconds"}."""


class CaseError(ValueError):
    """A case that cannot be answered. The text is one line: the case's id, the field, the reason."""


def _forward(pause: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    if pause[1] < pause[0]:
        raise ValueError("ends before it starts")
    return pause


class Question(BaseModel, ABC):
    """What every case has. Fields beside the known ones are somebody's notes and are ignored."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[str, Field(strict=True)]
    calendar: dict[str, Any]
    start: Instant
    pauses: tuple[Annotated[tuple[Instant, Instant], AfterValidator(_forward)], ...] = ()

    @abstractmethod
    def answer(self) -> Answer:
        """CaseError where there is none."""


class Add(Question):
    """When have that many business seconds passed?"""

    target_business_seconds: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]

    def answer(self) -> Answer:
        worktime = refuse_stalled(_calendar(self.calendar), self.start)
        try:
            due = worktime.add(self.start, self.target_business_seconds, self.pauses)
        except OutOfRange as error:
            raise CaseError(f"{self.id}: target_business_seconds: is used up {error}") from error
        return {"id": self.id, "due": due.isoformat().replace("+00:00", "Z")}


class Between(Question):
    """How many business seconds lie between start and end?"""

    end: Instant

    def answer(self) -> Answer:
        return {"id": self.id, "seconds": _calendar(self.calendar).between(self.start, self.end, self.pauses)}


OPERATIONS: Final[Mapping[object, type[Question]]] = {"add": Add, "between": Between}


def answers(text: str) -> Iterator[Answer | CaseError]:
    """Answers a JSON array or JSON lines of cases, in order; one bad case does not stop the others."""
    for raw in _cases(text):
        try:
            yield answer(raw)
        except CaseError as error:
            yield error


def answer(raw: object) -> Answer:
    """The answer to one case. CaseError names the case and the field that is wrong."""
    if isinstance(raw, CaseError):
        raise raw
    if not isinstance(raw, Mapping):
        raise CaseError("a case is an object with id, calendar, op and start")
    label = raw.get("id") or "a case without an id"
    operation = raw.get("op")
    if not isinstance(operation, str) or operation not in OPERATIONS:
        raise CaseError(f"{label}: op: give one of {', '.join(map(str, OPERATIONS))}")
    try:
        return OPERATIONS[operation].model_validate(raw).answer()
    except ValidationError as error:
        raise CaseError(f"{label}: {first_problem(error)}") from error
    except ScheduleError as error:
        raise CaseError(f"{label}: calendar.{error}") from error


def _calendar(calendar: dict[str, Any]) -> Worktime:
    return _compiled(json.dumps(calendar, sort_keys=True, default=str))


@lru_cache(maxsize=256)
def _compiled(calendar: str) -> Worktime:
    return parse(json.loads(calendar)).compile()


def _cases(text: str) -> list[object]:
    if text.lstrip().startswith("["):
        found = _parsed(text, "the array")
        return found if isinstance(found, list) else [found]
    return [_parsed(line, f"line {number}") for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def _parsed(text: str, place: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        return CaseError(f"{place}: not JSON: {error}")
