"""Whether a condition holds: conditions become functions of a Reading, two-valued throughout.

An unset value satisfies no positive comparison and every negative one; `not` turns an answer round and nothing else
(decisions 29, behaviour V-2).
"""

from collections.abc import Callable
from datetime import datetime

from libs.conditions import relative_time, text_match
from libs.conditions.fields import ME, MY_QUEUES, NEGATED, PRIORITIES, PRIORITY_ALIASES, Kind, field_named
from libs.conditions.reading import Context, Facts, Reading
from libs.conditions.tree import All, AnyOf, Leaf, Node, Not, Scalar

Test = Callable[[Reading], bool]


def evaluate(condition: Node, facts: Facts, context: Context) -> bool:
    """Whether the condition holds for these facts. FactError if a fact it reads has the wrong type."""
    return compiled(condition)(Reading(facts, context))


def compiled(condition: Node) -> Test:
    """The condition as a function, for callers that evaluate it more than once; several may share one Reading."""
    match condition:
        case All():
            every = tuple(compiled(part) for part in condition.all)
            return lambda reading: all(test(reading) for test in every)
        case AnyOf():
            some = tuple(compiled(part) for part in condition.any)
            return lambda reading: any(test(reading) for test in some)
        case Not():
            inner = compiled(condition.part)
            return lambda reading: not inner(reading)
        case Leaf():
            return _leaf(condition)


def positive(leaf: Leaf) -> tuple[Leaf, bool]:
    """The positive comparison a leaf is about, and whether the leaf affirms it (False: it denies it)."""
    denied = NEGATED.get(leaf.operator)
    if denied is None:
        return leaf, True
    return leaf.model_copy(update={"operator": denied}), False


def _leaf(leaf: Leaf) -> Test:
    asked, affirmed = positive(leaf)
    test = _TESTS[asked.operator](asked)
    return test if affirmed else lambda reading: not test(reading)


def values_of(leaf: Leaf) -> tuple[Scalar, ...]:
    """The literals of a leaf, priorities without alias, always as a tuple."""
    raw = leaf.value if isinstance(leaf.value, tuple) else () if leaf.value is None else (leaf.value,)
    field = field_named(leaf.field)
    if field is not None and field.kind is Kind.PRIORITY:
        return tuple(PRIORITY_ALIASES.get(one, one) if isinstance(one, str) else one for one in raw)
    return raw


def _same(left: object, right: object) -> bool:
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _is_set(leaf: Leaf) -> Test:
    name = leaf.field
    return lambda reading: reading.value(name) is not None


def _is_one_of(leaf: Leaf) -> Test:
    name = leaf.field
    literals = tuple(one for one in values_of(leaf) if one not in (ME, MY_QUEUES))
    mine, queues = ME in values_of(leaf), MY_QUEUES in values_of(leaf)

    def test(reading: Reading) -> bool:
        value = reading.value(name)
        if value is None:
            return False
        if mine and value == reading.context.me:
            return True
        if queues and value in reading.context.my_queues:
            return True
        return any(_same(value, one) for one in literals)

    return test


def rank(priority: object) -> int | None:
    """The place of a priority from 0 = low; None when unset or unknown."""
    return PRIORITIES.index(priority) if isinstance(priority, str) and priority in PRIORITIES else None


def _amount(value: object) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


_ORDER: dict[str, Callable[[float, float], bool]] = {
    "less_than": lambda value, bound: value < bound,
    "at_most": lambda value, bound: value <= bound,
    "greater_than": lambda value, bound: value > bound,
    "at_least": lambda value, bound: value >= bound,
}


def _compared(leaf: Leaf) -> Test:
    name, compare = leaf.field, _ORDER[leaf.operator]
    field = field_named(name)
    measure = rank if field is not None and field.kind is Kind.PRIORITY else _amount
    bound = measure(values_of(leaf)[0])
    assert bound is not None

    def test(reading: Reading) -> bool:
        value = measure(reading.value(name))
        return value is not None and compare(value, bound)

    return test


def _before(leaf: Leaf) -> Test:
    name, literal = leaf.field, leaf.value

    def test(reading: Reading) -> bool:
        value = reading.value(name)
        return isinstance(value, datetime) and value < relative_time.point(literal, reading.context.now)

    return test


def _after(leaf: Leaf) -> Test:
    name, literal = leaf.field, leaf.value

    def test(reading: Reading) -> bool:
        value = reading.value(name)
        return isinstance(value, datetime) and value > relative_time.point(literal, reading.context.now)

    return test


def _within(leaf: Leaf) -> Test:
    name, literal = leaf.field, leaf.value

    def test(reading: Reading) -> bool:
        value, now = reading.value(name), reading.context.now
        first, last = sorted((now, relative_time.point(literal, now)))
        return isinstance(value, datetime) and first <= value <= last

    return test


def _has_any(leaf: Leaf) -> Test:
    name, wanted = leaf.field, frozenset(values_of(leaf))

    def test(reading: Reading) -> bool:
        value = reading.value(name)
        return isinstance(value, frozenset) and not wanted.isdisjoint(value)

    return test


def _word(leaf: Leaf) -> Test:
    name = leaf.field
    needles = [text_match.fold(str(one)) for one in values_of(leaf)]
    single = frozenset(filter(text_match.is_single_word, needles))
    phrases = tuple(needle for needle in needles if needle not in single)

    def test(reading: Reading) -> bool:
        if single and not single.isdisjoint(reading.words(name)):
            return True
        folded = reading.folded(name) if phrases else ""
        return any(text_match.has_word(needle, folded) for needle in phrases)

    return test


def _contains(leaf: Leaf) -> Test:
    name = leaf.field
    needles = tuple(text_match.fold(str(one)) for one in values_of(leaf))

    def test(reading: Reading) -> bool:
        folded = reading.folded(name)
        return any(needle in folded for needle in needles)

    return test


def _matches(leaf: Leaf) -> Test:
    name, pattern = leaf.field, text_match.pattern(str(leaf.value))
    # An empty pattern match must not make an unset text match: null satisfies no positive comparison.
    return lambda reading: bool(reading.text(name)) and pattern.search(reading.pattern_text(name)) is not None


_TESTS: dict[str, Callable[[Leaf], Test]] = {
    "is": _is_one_of,
    "in": _is_one_of,
    "less_than": _compared,
    "at_most": _compared,
    "greater_than": _compared,
    "at_least": _compared,
    "before": _before,
    "after": _after,
    "within": _within,
    "has": _has_any,
    "has_any": _has_any,
    "is_set": _is_set,
    "word": _word,
    "contains": _contains,
    "matches": _matches,
}
