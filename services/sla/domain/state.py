"""What clocks need of the header `ticket`: read for every fact, so without a model of all its fields."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from libs.conditions.fields import CUSTOM_PREFIX
from libs.contracts.ticket_state import StatusCategory, TicketState
from services.sla.domain.timeline import RUNS
from services.sla.policy import READABLE

DONE = frozenset({StatusCategory.RESOLVED.value, StatusCategory.CLOSED.value})
ALL_RUN = sum(RUNS.values())
SCALARS = READABLE - {"tags"}


class State:
    """A ticket's state after a fact. done: resolved, or beyond it. running: the RUNS of its status (behaviour S-1)."""

    __slots__ = ("_fields", "done", "json", "running", "status")

    def __init__(self, json: bytes | str) -> None:
        """ValueError for what is no state."""
        self.json = json if isinstance(json, str) else json.decode()
        self._fields: dict[str, Any] = from_json(self.json)
        try:
            self.status: str = self._fields["status"]
            self.done = self._fields["status_category"] in DONE
        except KeyError:
            self.whole()
            raise
        flags = self._fields.get("clocks")
        self.running = running(flags) if flags else ALL_RUN

    @property
    def created_at(self) -> datetime:
        """UTC."""
        return datetime.fromisoformat(self._fields["created_at"])

    @property
    def routed(self) -> bool:
        """Whether a routing decision has been applied."""
        return self._fields.get("routed") is True

    def values(self, names: Iterable[str]) -> tuple[object, ...]:
        """These fields of the condition grammar, to compare with those of other tickets; None where nothing is said."""
        value = self._fields.get
        return tuple([value(name) if name in SCALARS else self._value(name) for name in names])

    def _value(self, name: str) -> object:
        if name.startswith(CUSTOM_PREFIX):
            return self._fields.get("custom", {}).get(name.removeprefix(CUSTOM_PREFIX))
        return tuple(self._fields.get(name, ()))

    def whole(self) -> TicketState:
        """All fields. pydantic's ValidationError names what does not fit."""
        return TicketState.model_validate_json(self.json)


def running(flags: Mapping[str, bool]) -> int:
    """The RUNS of a status with these flags; one that is missing is set."""
    return sum(bit for metric, bit in RUNS.items() if flags.get(metric.value, True))
