"""The facts of one ticket as conditions read them: typed, looked up once, texts folded once."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from libs.conditions import relative_time, text_match
from libs.conditions.fields import CUSTOM_PREFIX, PRIORITY_ALIASES, Field, Kind, field_named

Facts = Mapping[str, object]


class FactError(TypeError):
    """A fact has the wrong type: names the field, what it must be and what came."""

    def __init__(self, field: str, wanted: str, got: object) -> None:
        super().__init__(f"{field}: must be {wanted}, got {type(got).__name__}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Context:
    """What an evaluation knows beside the facts.

    `now` is the one clock read that every relative time refers to (behaviour V-2); it must be aware. `me` and
    `my_queues` are what `$me` and `$my_queues` mean. `business_hours` answers the field of that name; `hour` and
    `weekday` are those of `now` in `zone`. Facts of the same names win over the context.
    """

    now: datetime
    me: str | None = None
    my_queues: frozenset[str] = frozenset()
    business_hours: bool | None = None
    zone: tzinfo = UTC


class Reading:
    """Facts and context of one evaluation; every value is read, checked and folded at most once.

    Unset are: a missing key, None, an empty text, an empty set, NaN. `custom.<key>` is read from a flat key of that
    name, else from the mapping `custom`. Times may be aware datetimes or ISO 8601 texts. FactError for a wrong type.
    """

    __slots__ = ("_folded", "_values", "_words", "context", "facts")

    def __init__(self, facts: Facts, context: Context) -> None:
        self.facts = facts
        self.context = context
        self._values: dict[str, object] = {}
        self._folded: dict[str, str] = {}
        self._words: dict[str, frozenset[str]] = {}

    def value(self, name: str) -> object:
        """The value of a field, None when unset. Sets are frozensets, times are in UTC, priorities without alias."""
        try:
            return self._values[name]
        except KeyError:
            value = self._values[name] = self._read(name)
            return value

    def text(self, name: str) -> str:
        """The text of a field; empty when unset or, for a custom field, no text."""
        value = self.value(name)
        return value if isinstance(value, str) else ""

    def folded(self, name: str) -> str:
        """The text of a field as `word` and `contains` compare it."""
        if name not in self._folded:
            self._folded[name] = text_match.fold(self.text(name))
        return self._folded[name]

    def words(self, name: str) -> frozenset[str]:
        """The words of a field's folded text."""
        if name not in self._words:
            self._words[name] = text_match.words(self.folded(name))
        return self._words[name]

    def pattern_text(self, name: str) -> str:
        """The text of a field as patterns see it."""
        return text_match.pattern_text(self.text(name))

    def revised(self, changes: Facts) -> "Reading":
        """A reading in which these fields have other values; what was read and folded of the others is kept."""
        revised = Reading({**self.facts, **changes}, self.context)
        revised._values, revised._folded, revised._words = self._values.copy(), self._folded.copy(), self._words.copy()
        for name in changes:
            revised._values.pop(name, None)
            revised._folded.pop(name, None)
            revised._words.pop(name, None)
        return revised

    def check(self, names: Iterable[str]) -> None:
        """Read all these fields now, so that a wrong type is an error whatever the conditions would have read."""
        values = self._values
        for name in names:
            if name not in values:
                values[name] = self._read(name)

    def _read(self, name: str) -> object:
        field, read, elsewhere = _source(name)
        raw = self.facts.get(name)
        if raw is None and elsewhere:
            raw = self._elsewhere(field)
        return None if raw is None or raw == "" else read(field, raw)

    def _elsewhere(self, field: Field) -> object:
        if field.kind is Kind.CUSTOM:
            custom = self.facts.get("custom")
            if custom is not None and not isinstance(custom, Mapping):
                raise FactError("custom", "a mapping", custom)
            return custom.get(field.name.removeprefix(CUSTOM_PREFIX)) if custom else None
        match field.name:
            case "business_hours":
                return self.context.business_hours
            case "hour":
                return self.context.now.astimezone(self.context.zone).hour
            case "weekday":
                return self.context.now.astimezone(self.context.zone).isoweekday()
        return None


_SETS = (list, tuple, set, frozenset)
_SCALARS = (str, int, float, bool)


def _string(field: Field, raw: object) -> str:
    if not isinstance(raw, str):
        raise FactError(field.name, "text", raw)
    return str(raw)


def _priority(field: Field, raw: object) -> str:
    text = _string(field, raw)
    return PRIORITY_ALIASES.get(text, text)


def _number(field: Field, raw: object) -> int:
    if type(raw) is not int:
        raise FactError(field.name, "a whole number", raw)
    return raw


def _flag(field: Field, raw: object) -> bool:
    if type(raw) is not bool:
        raise FactError(field.name, "true or false", raw)
    return raw


def _set(field: Field, raw: object) -> frozenset[str] | None:
    if not isinstance(raw, _SETS) or not all(isinstance(one, str) for one in raw):
        raise FactError(field.name, "a list of texts", raw)
    return frozenset(raw) or None


def _time(field: Field, raw: object) -> datetime:
    found = relative_time.instant(raw)
    if found is None:
        raise FactError(field.name, "a timestamp with its offset", raw)
    return found


def _custom(field: Field, raw: object) -> object:
    if isinstance(raw, float) and math.isnan(raw):
        return None
    if not isinstance(raw, _SCALARS):
        raise FactError(field.name, "text, a number, true or false", raw)
    return str(raw) if isinstance(raw, str) else raw


_READERS: dict[Kind, Callable[[Field, object], object]] = {
    Kind.TEXT: _string,
    Kind.KEY: _string,
    Kind.NAME: _string,
    Kind.PRIORITY: _priority,
    Kind.NUMBER: _number,
    Kind.FLAG: _flag,
    Kind.TIME: _time,
    Kind.SET: _set,
    Kind.CUSTOM: _custom,
}

_FROM_CONTEXT = frozenset({"business_hours", "hour", "weekday"})


@lru_cache(maxsize=4096)
def _source(name: str) -> tuple[Field, Callable[[Field, object], object], bool]:
    """A field, how its values are read, and whether they may come from elsewhere than a fact of that name."""
    field = field_named(name)
    if field is None:
        raise KeyError(name)
    return field, _READERS[field.kind], field.kind is Kind.CUSTOM or name in _FROM_CONTEXT
