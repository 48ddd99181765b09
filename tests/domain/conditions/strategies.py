"""Random conditions and tickets for the laws; values come from small pools so that they meet."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from libs.conditions.fields import FIELDS, MY_QUEUES, OPERATORS, PRIORITIES, STATUS_CATEGORIES, Field, Kind, field_named
from libs.conditions.tree import Leaf, Node, parse
from tests.domain.conditions.ask import NOW

KEYS = ("billing", "bücher", "ada", "x" * 256)
TEXTS = ("refund", "money back", "ﬁne", "返金", "STRASSE")
PATTERNS = (r"\brefund\b", "^money", "(?-i)FINE")
NUMBERS = (0, 1, 5, 2**53)
CUSTOM: tuple[Any, ...] = (0, 1, 1.5, True, False, "1", "billing")
SPANS = ("-24h", "+4h", "-7d")
NAMES = (*FIELDS, "custom.order", "custom.weight")


def literals(field: Field, operator: str) -> st.SearchStrategy[Any]:
    if operator in ("word", "contains"):
        return st.sampled_from(TEXTS) | st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3)
    if operator == "matches":
        return st.sampled_from(PATTERNS)
    if operator == "within":
        return st.sampled_from(SPANS)
    one = single(field, operator)
    if operator in ("in", "not_in", "has_any", "has_none"):
        several = st.lists(one, min_size=1, max_size=3)
        return several | st.just(MY_QUEUES) if field.name == "queue" else several
    return one


def single(field: Field, operator: str) -> st.SearchStrategy[Any]:
    match field.kind:
        case Kind.PRIORITY:
            return st.sampled_from((*PRIORITIES, "urgent"))
        case Kind.NUMBER:
            return st.sampled_from(NUMBERS)
        case Kind.FLAG:
            return st.booleans()
        case Kind.TIME:
            return st.sampled_from((*SPANS, "now", "2026-03-04T12:00:00Z"))
        case Kind.CUSTOM:
            ordered = operator in ("less_than", "at_most", "greater_than", "at_least")
            return st.sampled_from((0, 1, 1.5) if ordered else CUSTOM)
    return st.sampled_from(field.choices or KEYS)


@st.composite
def leaf_conditions(draw: st.DrawFn, without: tuple[str, ...] = ()) -> Leaf:
    """without: fields and operators that are left out."""
    field = field_named(draw(st.sampled_from([name for name in NAMES if name not in without])))
    assert field is not None
    operator = draw(st.sampled_from([each for each in OPERATORS[field.kind] if each not in without]))
    value = None if operator in ("is_set", "is_unset") else draw(literals(field, operator))
    leaf = parse({"field": field.name, "operator": operator, "value": value})
    assert isinstance(leaf, Leaf)
    return leaf


def conditions(without: tuple[str, ...] = ()) -> st.SearchStrategy[Node]:
    def wider(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        several = st.lists(inner, min_size=1, max_size=3)
        return (
            several.map(lambda parts: parse({"all": parts}))
            | several.map(lambda parts: parse({"any": parts}))
            | inner.map(lambda part: parse({"not": part}))
        )

    return st.recursive(leaf_conditions(without), wider, max_leaves=6)


def fact(field: Field) -> st.SearchStrategy[Any]:
    match field.kind:
        case Kind.TEXT:
            return st.sampled_from(("Refund", "my money  BACK", "fine", "返金してください", "Straße", "", "refunds"))
        case Kind.SET:
            return st.lists(st.sampled_from(KEYS), max_size=3)
        case Kind.TIME:
            return st.sampled_from((-200, -24, -1, 0, 1, 4, 100)).map(lambda hours: NOW + timedelta(hours=hours))
        case Kind.NUMBER:
            return st.sampled_from((*NUMBERS, 2, 2**53 + 1, 10**30))
        case Kind.FLAG:
            return st.booleans()
        case Kind.PRIORITY:
            return st.sampled_from((*PRIORITIES, "urgent", "blocker"))
        case Kind.CUSTOM:
            return st.sampled_from((*CUSTOM, float("nan"), 10**400))
    return st.sampled_from((*KEYS, *STATUS_CATEGORIES, "", "x" * 300, "bu\u0308cher"))


def tickets() -> st.SearchStrategy[dict[str, object]]:
    known = {name: field for name in NAMES if (field := field_named(name))}
    return st.fixed_dictionaries({}, optional={name: st.none() | fact(field) for name, field in known.items()})
