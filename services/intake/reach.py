"""What can be seen from a condition alone: whom it is about, whether it is about few tickets, and which status it means
where statuses have other words or were taken out.
"""

from libs.conditions.fields import CUSTOM_PREFIX, ME, MY_QUEUES, NEGATED, STATUS_CATEGORIES
from libs.conditions.tree import All, AnyOf, Leaf, Node, Not, leaves
from services.intake.domain.status import Statuses, UnknownStatus

# every ticket has a status
NEVER = Leaf(field="status", operator="is_unset")
ALWAYS = Leaf(field="status", operator="is_set")


def personal(condition: Node) -> frozenset[str]:
    """The words of a condition that mean who asks: `$me`, `$my_queues`."""
    return frozenset(value for leaf in leaves(condition) for value in _values(leaf) if value in (ME, MY_QUEUES))


def is_bounded(condition: Node, statuses: Statuses) -> bool:
    """Whether the condition leaves closed tickets out, as far as can be seen from it."""
    found = _categories(condition, statuses)
    return found is not None and "closed" not in found


def as_seen(condition: Node, unseen: frozenset[str]) -> Node:
    """The condition for somebody who may not see these custom fields: to them no ticket has one (behaviour V-5)."""
    match condition:
        case All():
            return All.model_construct(all=tuple(as_seen(part, unseen) for part in condition.all))
        case AnyOf():
            return AnyOf.model_construct(any=tuple(as_seen(part, unseen) for part in condition.any))
        case Not():
            return Not.model_construct(part=as_seen(condition.part, unseen))
        case Leaf() if condition.field.startswith(CUSTOM_PREFIX) and condition.field[len(CUSTOM_PREFIX) :] in unseen:
            return ALWAYS if condition.operator in NEGATED else NEVER
    return condition


def with_present_statuses(condition: Node, statuses: Statuses) -> Node:
    """The condition over stored keys that says the same of statuses as tickets have them now.

    Another word means its status (`solved` is `resolved`). A status also means those that were moved to it, and one
    that was moved is none any more, so that no ticket has it (behaviour S-8).
    """
    match condition:
        case All():
            return All.model_construct(all=tuple(with_present_statuses(part, statuses) for part in condition.all))
        case AnyOf():
            return AnyOf.model_construct(any=tuple(with_present_statuses(part, statuses) for part in condition.any))
        case Not():
            return Not.model_construct(part=with_present_statuses(condition.part, statuses))
        case Leaf(field="status", value=str() | tuple()):
            return _stored(condition, statuses)
    return condition


def _stored(leaf: Leaf, statuses: Statuses) -> Leaf:
    meant = {_key(word, statuses) for word in _values(leaf)} - statuses.moved.keys()
    meant |= {old for old, present in statuses.moved.items() if present in meant}
    positive = leaf.operator in ("is", "in")
    if not meant:
        return NEVER if positive else ALWAYS
    if len(meant) == 1:
        return Leaf.model_construct(field="status", operator="is" if positive else "is_not", value=min(meant))
    return Leaf.model_construct(field="status", operator="in" if positive else "not_in", value=tuple(sorted(meant)))


def _key(word: str, statuses: Statuses) -> str:
    try:
        return statuses[word].key
    except UnknownStatus:
        return word


def _categories(condition: Node, statuses: Statuses) -> frozenset[str] | None:
    """The categories that tickets of a condition can have; None where that cannot be told."""
    match condition:
        case All():
            known = [each for part in condition.all if (each := _categories(part, statuses)) is not None]
            return frozenset.intersection(*known) if known else None
        case AnyOf():
            parts = [_categories(part, statuses) for part in condition.any]
            return None if None in parts else frozenset().union(*(each for each in parts if each is not None))
        case Leaf(field="status_category", operator="is" | "in"):
            return frozenset(_values(condition))
        case Leaf(field="status_category", operator="is_not" | "not_in"):
            return frozenset(STATUS_CATEGORIES) - frozenset(_values(condition))
        case Leaf(field="status", operator="is" | "in"):
            try:
                return frozenset(statuses[statuses.moved.get(key, key)].category.value for key in _values(condition))
            except UnknownStatus:
                return None
    return None


def _values(leaf: Leaf) -> tuple[str, ...]:
    return tuple(map(str, leaf.value)) if isinstance(leaf.value, tuple) else (str(leaf.value),)
