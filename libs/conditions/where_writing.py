"""A condition written as `libs.conditions.where_text` reads it."""

from libs.conditions.fields import Field, field_named
from libs.conditions.tree import All, AnyOf, Leaf, Node, Not, Scalar
from libs.conditions.where_tokens import is_plain

WRITTEN = {
    "is": "=",
    "is_not": "!=",
    "in": "in",
    "not_in": "not in",
    "less_than": "<",
    "at_most": "<=",
    "greater_than": ">",
    "at_least": ">=",
    "before": "<",
    "after": ">",
    "within": "within",
    "has": "has",
    "has_any": "has any",
    "has_none": "has none",
    "is_set": "is set",
    "is_unset": "is unset",
    "word": "word",
    "contains": "contains",
    "matches": "matches",
}
"""Each operator as it is written; its own name is understood too."""


def write(condition: Node) -> str:
    """The condition in text form; `parse_where` of it is the same condition, but that groups of one are their part."""
    match found := _alone(condition):
        case Leaf():
            return _leaf(found)
        case Not():
            return f"not {_inner(found.part, Leaf, Not)}"
        case All():
            return " and ".join(_inner(part, Leaf, Not) for part in found.all)
        case AnyOf():
            return " or ".join(_inner(part, Leaf, Not, All) for part in found.any)


def _alone(condition: Node) -> Node:
    """What a group of one part is about."""
    match condition:
        case All() if len(condition.all) == 1:
            return _alone(condition.all[0])
        case AnyOf() if len(condition.any) == 1:
            return _alone(condition.any[0])
    return condition


def _inner(condition: Node, *bare: type[Node]) -> str:
    found = _alone(condition)
    return write(found) if isinstance(found, bare) else f"({write(found)})"


def _leaf(leaf: Leaf) -> str:
    field = field_named(leaf.field)
    assert field is not None
    start = f"{leaf.field} {WRITTEN[leaf.operator]}"
    if leaf.value is None:
        return start
    if isinstance(leaf.value, tuple):
        return f"{start} ({', '.join(_scalar(one, field, leaf.operator) for one in leaf.value)})"
    return f"{start} {_scalar(leaf.value, field, leaf.operator)}"


def _scalar(value: Scalar, field: Field, operator: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    return value if is_plain(value, field, operator) else _quoted(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
