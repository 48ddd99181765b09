"""Whether a leaf makes sense: the field exists, the operator suits it, the literal suits both."""

import math
from collections.abc import Callable
from difflib import get_close_matches

from libs.conditions import relative_time
from libs.conditions.fields import CUSTOM_PREFIX, FIELDS, IN_TEXT, ME, MY_QUEUES, ORDER, Field, Kind, field_named
from libs.conditions.text_match import MAX_PATTERN, PatternError, fold, pattern

MAX_STRING = 256
MAX_INTEGER = 2**53

SEVERAL = frozenset({"in", "not_in", "has_any", "has_none"})
ONE_OR_SEVERAL = frozenset({"word", "contains"})
WITHOUT_VALUE = frozenset({"is_set", "is_unset"})


class Refused(ValueError):
    """A leaf was refused. `part` is field, operator or value; `allowed` says what would be right, or is empty."""

    def __init__(self, part: str, reason: str, allowed: str = "") -> None:
        super().__init__(reason)
        self.part, self.reason, self.allowed = part, reason, allowed


def check(name: str, operator: str, value: object) -> None:
    """Pass silently, or raise Refused with the first thing that is wrong."""
    field = field_named(name)
    if field is None:
        raise Refused("field", f"there is no field {name!r}", _like(name))
    if operator not in field.operators:
        raise Refused("operator", f"{operator!r} does not suit a {field.kind}", ", ".join(field.operators))
    if operator in WITHOUT_VALUE:
        if value is not None:
            raise Refused("value", f"{operator} takes no value")
        return
    if value is None:
        raise Refused("value", f"{operator} needs a value; to ask for an unset field use is_unset", _wanted(field))
    _check_number_of_values(field, operator, value)
    for one in value if isinstance(value, tuple) else (value,):
        _check_one(field, operator, one)


def _like(name: str) -> str:
    known = [*FIELDS, f"{CUSTOM_PREFIX}<key>"]
    return ", ".join(get_close_matches(name, known, n=3) or known)


def _check_number_of_values(field: Field, operator: str, value: object) -> None:
    several = isinstance(value, tuple)
    if several and operator not in SEVERAL | ONE_OR_SEVERAL:
        raise Refused("value", f"{operator} takes one value, not a list", _wanted(field))
    if several and not value:
        raise Refused("value", f"{operator} needs at least one value")
    if not several and operator in SEVERAL and not (value == MY_QUEUES and MY_QUEUES in field.personal):
        raise Refused("value", f"{operator} takes a list", _wanted(field))


def _check_one(field: Field, operator: str, one: object) -> None:
    if isinstance(one, str):
        _check_string(one)
    if operator in IN_TEXT:
        _check_text(operator, one)
    elif isinstance(one, str) and one.startswith("$"):
        _check_personal(field, operator, one)
    elif operator == "within":
        if not isinstance(one, str) or relative_time.span(one) is None:
            raise Refused("value", f"{one!r} is not a window", relative_time.ALLOWED_WINDOW)
    elif not _CHECKS[field.kind](field, one):
        raise Refused("value", f"{one!r} does not suit a {field.kind}", _wanted(field))
    elif field.kind is Kind.CUSTOM and operator in ORDER and isinstance(one, bool | str):
        raise Refused("value", f"{operator} compares numbers, not {one!r}", "a number")


def _check_string(one: str) -> None:
    if not one:
        raise Refused("value", "an empty text is never a value; to ask for an unset field use is_unset")
    if not one.isascii() and one != one.encode("utf-8", "replace").decode():
        raise Refused("value", "holds half of a surrogate pair")


def _check_personal(field: Field, operator: str, one: str) -> None:
    wanted = {ME: ("is", "is_not", "in", "not_in"), MY_QUEUES: ("in", "not_in")}
    if one not in field.personal or operator not in wanted[one]:
        uses = [f"{word} with {', '.join(wanted[word])}" for word in field.personal]
        raise Refused("value", f"{one} cannot be used with {field.name} {operator}", "; ".join(uses))


def _check_text(operator: str, one: object) -> None:
    if not isinstance(one, str):
        raise Refused("value", f"{operator} looks for text, not {one!r}", "text in quotes")
    if operator != "matches":
        if len(one) > MAX_STRING or not fold(one):
            raise Refused("value", f"{operator} needs visible text of at most {MAX_STRING} characters")
        return
    if len(one) > MAX_PATTERN:
        raise Refused("value", f"the pattern is longer than {MAX_PATTERN} characters")
    try:
        pattern(one)
    except PatternError as refused:
        raise Refused("value", f"RE2 refuses the pattern {one!r}: {refused}") from None


def _key(field: Field, one: object) -> bool:
    return isinstance(one, str) and len(one) <= MAX_STRING and (not field.choices or one in field.choices)


def _integer(field: Field, one: object) -> bool:
    return type(one) is int and abs(one) <= MAX_INTEGER


def _flag(field: Field, one: object) -> bool:
    return isinstance(one, bool)


def _time(field: Field, one: object) -> bool:
    return relative_time.is_point(one)


def _custom(field: Field, one: object) -> bool:
    finite = isinstance(one, float) and math.isfinite(one)
    return finite or _flag(field, one) or _integer(field, one) or _key(field, one)


_CHECKS: dict[Kind, Callable[[Field, object], bool]] = {
    Kind.TEXT: _key,
    Kind.KEY: _key,
    Kind.NAME: _key,
    Kind.PRIORITY: _key,
    Kind.SET: _key,
    Kind.NUMBER: _integer,
    Kind.FLAG: _flag,
    Kind.TIME: _time,
    Kind.CUSTOM: _custom,
}


def _wanted(field: Field) -> str:
    if field.choices:
        return ", ".join(field.choices)
    match field.kind:
        case Kind.NUMBER:
            return "a whole number within 2^53"
        case Kind.FLAG:
            return "true, false"
        case Kind.TIME:
            return relative_time.ALLOWED
        case Kind.CUSTOM:
            return f"text of at most {MAX_STRING} characters, a number, true, false"
    return f"text of at most {MAX_STRING} characters"
