"""Whether what a publisher is about to send would be understood."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from libs.contracts.catalogue import CATALOGUE
from libs.contracts.envelope import CloudEvent, EnvelopeError
from libs.contracts.pointer import step
from libs.contracts.structured import is_json


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, with a JSON pointer into the event; `index` is the event's position, counted from 0."""

    index: int
    pointer: str
    reason: str

    def __str__(self) -> str:
        return f"event {self.index}: {self.pointer or '/'}: {self.reason}"


def structured_events(document: bytes) -> list[Any]:
    """The events of a document: one JSON object, an array of them, or JSON lines. ValueError for anything else."""
    try:
        whole = from_json(document, allow_inf_nan=False)
    except ValueError:
        lines = [line for line in document.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        return [from_json(line, allow_inf_nan=False) for line in lines]
    return whole if isinstance(whole, list) else [whole]


def faults(events: list[Any], *, strict: bool = False) -> list[Fault]:
    """Every fault of every event, in order. Unknown fields of the data are faults only where `strict`."""
    return [fault for index, event in enumerate(events) for fault in _faults(index, event, strict)]


def _faults(index: int, document: Any, strict: bool) -> Iterator[Fault]:
    try:
        event = CloudEvent.from_structured(to_json(document))
    except EnvelopeError as error:
        yield Fault(index, "" if error.attribute == "document" else step(error.attribute), error.reason)
        return
    model = CATALOGUE.get(event.type)
    if model is None:
        yield Fault(index, "/type", f"{event.type[:100]} is no event of the catalogue")
    elif not is_json(event.datacontenttype):
        yield Fault(index, "/datacontenttype", f"{event.datacontenttype} is not JSON")
    elif not event.data:
        yield Fault(index, "/data", "is missing")
    else:
        try:
            model.model_validate_json(event.data, extra="forbid" if strict else "ignore")
        except ValidationError as error:
            data = from_json(event.data)
            yield from (Fault(index, _pointer(data, detail), detail["msg"]) for detail in error.errors())


def _pointer(data: Any, detail: ErrorDetails) -> str:
    """The place of an error. Its path also names branches of unions, which no event contains: they are left out."""
    pointer, value = "/data", data
    for part in detail["loc"]:
        match value, part:
            case (dict(), str()) if part in value:
                value = value[part]
            case list(), int():
                value = value[part]
            case _:
                continue
        pointer += step(str(part))
    if detail["type"] == "missing":
        pointer += step(str(detail["loc"][-1]))
    return pointer
