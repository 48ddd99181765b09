"""Custom fields and categories as a team defines them (behaviour N-4)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

import re2

from libs.contracts.event import Event
from libs.contracts.ticket import Change, TicketChanged
from libs.contracts.ticket_state import Scalar

LONGEST_TEXT = 1000
BETWEEN = ", "
"""Between the choices of a field that takes several; as one text they travel in facts and conditions."""


class FieldType(StrEnum):
    """What a custom field holds. `choices` takes several of its choices."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    CHOICE = "choice"
    CHOICES = "choices"


class Rank(StrEnum):
    """The least role of a person, in rising order."""

    AGENT = "agent"
    LEAD = "lead"
    ADMIN = "admin"


class Required(StrEnum):
    """When a person has to give a value."""

    NEVER = "never"
    CREATE = "create"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Definition:
    """One custom field.

    queues: where it belongs, empty for everywhere. choices: keys, for `choice` and `choices`. pattern: RE2, of the
    whole text. personal: its values stay out of facts. retired: what is there stays, nothing new comes in.
    see, change: the least role that may (behaviour V-5); what not everybody may see stays out of facts as well.
    """

    key: str
    type: FieldType
    label: Mapping[str, str] = field(default_factory=dict)
    required: Required = Required.NEVER
    queues: frozenset[str] = frozenset()
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    longest: int = LONGEST_TEXT
    least: float | None = None
    most: float | None = None
    personal: bool = False
    retired: bool = False
    see: Rank = Rank.AGENT
    change: Rank = Rank.AGENT

    def sound(self, value: Any) -> Scalar:
        """The value as it is kept. ValueError says what is wrong with it."""
        return READERS[self.type](self, value)

    def belongs(self, queue: str | None) -> bool:
        """Whether tickets of the queue have it; before a ticket has a queue, it has every field."""
        return not self.queues or queue is None or queue in self.queues


class WrongField(ValueError):
    """A field that may not have this value, or has to have one. `field` is its path, e.g. `custom.order_number`."""

    def __init__(self, field: str, reason: str) -> None:
        self.field, self.reason = field, reason
        super().__init__(f"{field}: {reason}")


@dataclass(frozen=True)
class Fields:
    """The definitions in force. only_defined, only_categories: whether what is not defined is refused.

    handoff_note: whether who gives a ticket to another queue has to say how it stands (behaviour N-2).
    """

    definitions: Mapping[str, Definition] = field(default_factory=dict)
    only_defined: bool = False
    categories: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    only_categories: bool = False
    handoff_note: bool = False
    restricted: frozenset[str] = field(init=False)
    personal: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        restricted = frozenset(key for key, each in self.definitions.items() if each.see is not Rank.AGENT)
        personal = frozenset(key for key, each in self.definitions.items() if each.personal)
        object.__setattr__(self, "restricted", restricted)
        # keys whose values no fact may have: other services show facts to everybody
        object.__setattr__(self, "personal", personal | restricted)

    def custom(self, given: Mapping[str, Any], queue: str | None) -> dict[str, Scalar | None]:
        """What is given, as it is kept; None unsets. WrongField for the first that is not sound."""
        return {key: None if value is None else self._one(key, value, queue) for key, value in given.items()}

    def accepted(self, given: Mapping[str, Any], queue: str | None) -> tuple[dict[str, Scalar], dict[str, str]]:
        """The sound ones, and why the others are not: for sources that cannot be answered."""
        sound: dict[str, Scalar] = {}
        refused: dict[str, str] = {}
        for key, value in given.items():
            try:
                sound[key] = self._one(key, value, queue)
            except WrongField as wrong:
                refused[key] = wrong.reason
        return sound, refused

    def category(self, key: str | None) -> str | None:
        """The category. WrongField for one that nobody defined, where only defined ones may be."""
        if key is not None and self.only_categories and key not in self.categories:
            raise WrongField("category", f"{key!r} is not one of {', '.join(sorted(self.categories))}")
        return key

    def demand(self, when: Required, custom: Mapping[str, Scalar], queue: str | None) -> None:
        """WrongField for the first field without a value that has to have one now."""
        for key, each in self.definitions.items():
            mine = not each.queues or queue in each.queues
            if each.required is when and not each.retired and mine and key not in custom:
                raise WrongField(f"custom.{key}", f"is required to {when} a ticket")

    def without_personal(self, event: Event) -> Event:
        """The fact as it may be said: that a personal field changed, not from what to what."""
        if not isinstance(event, TicketChanged):
            return event
        hidden = {f"custom.{key}" for key in self.personal} & event.changes.keys()
        if not hidden:
            return event
        return event.model_copy(update={"changes": event.changes | dict.fromkeys(hidden, Change())})

    def _one(self, key: str, value: Any, queue: str | None) -> Scalar:
        definition = self.definitions.get(key)
        try:
            if definition is None:
                return _undefined(value, self.only_defined)
            if definition.retired:
                raise ValueError("is not used any more")
            if not definition.belongs(queue):
                raise ValueError(f"belongs to {', '.join(sorted(definition.queues))} and not to {queue}")
            return definition.sound(value)
        except ValueError as fault:
            raise WrongField(f"custom.{key}", str(fault)) from None


def _undefined(value: Any, refused: bool) -> Scalar:
    if refused:
        raise ValueError("is not a field of ours")
    if not isinstance(value, str | int | float | bool):
        raise ValueError("must be a text, a number, true or false")
    if isinstance(value, str):
        _plain(value, LONGEST_TEXT)
    return value


def _text(definition: Definition, value: Any) -> Scalar:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text")
    text = _plain(value.strip(), definition.longest)
    seen = text.encode("utf-8", "replace").decode()
    if definition.pattern is not None and re2.fullmatch(definition.pattern, seen) is None:
        raise ValueError(f"must look like {definition.pattern}")
    return text


def _number(definition: Definition, value: Any) -> Scalar:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise ValueError("must be a number")
    if definition.least is not None and value < definition.least:
        raise ValueError(f"must be at least {definition.least:g}")
    if definition.most is not None and value > definition.most:
        raise ValueError(f"must be at most {definition.most:g}")
    return value


def _boolean(definition: Definition, value: Any) -> Scalar:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _date(definition: Definition, value: Any) -> Scalar:
    try:
        return date.fromisoformat(value if isinstance(value, str) and len(value) == 10 else "").isoformat()
    except ValueError:
        raise ValueError("must be a date such as 2026-03-31") from None


def _choice(definition: Definition, value: Any) -> Scalar:
    return _chosen(definition, [value])


def _choices(definition: Definition, value: Any) -> Scalar:
    given = value.split(BETWEEN.strip()) if isinstance(value, str) else value
    if not isinstance(given, list | tuple) or not given:
        raise ValueError(f"must be a list of {', '.join(definition.choices)}")
    return _chosen(definition, [each.strip() if isinstance(each, str) else each for each in given])


def _chosen(definition: Definition, values: Iterable[Any]) -> str:
    chosen = list(values)
    for each in chosen:
        if each not in definition.choices:
            raise ValueError(f"{each!r} is not one of {', '.join(definition.choices)}")
    return BETWEEN.join(choice for choice in definition.choices if choice in chosen)


def _plain(text: str, longest: int) -> str:
    if len(text) > longest:
        raise ValueError(f"has {len(text)} characters, {longest} are allowed")
    if "\x00" in text:
        raise ValueError("must not contain NUL")
    return text


READERS: Mapping[FieldType, Callable[[Definition, Any], Scalar]] = {
    FieldType.TEXT: _text,
    FieldType.NUMBER: _number,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _date,
    FieldType.CHOICE: _choice,
    FieldType.CHOICES: _choices,
}
