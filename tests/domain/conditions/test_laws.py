"""Laws that hold for every condition and every ticket."""

from hypothesis import given

from libs.conditions.evaluate import compiled, evaluate
from libs.conditions.explain import explain
from libs.conditions.fields import NEGATED
from libs.conditions.reading import Reading
from libs.conditions.tree import All, AnyOf, Leaf, Node, Not, leaves, parse
from tests.domain.conditions.ask import CONTEXT
from tests.domain.conditions.strategies import conditions, leaf_conditions, tickets

Facts = dict[str, object]


def negation(condition: Node) -> Node:
    return parse({"not": condition})


@given(conditions(), tickets())
def test_V2_double_negation_changes_nothing(condition: Node, facts: Facts) -> None:
    twice = negation(negation(condition))
    assert evaluate(twice, facts, CONTEXT) == evaluate(condition, facts, CONTEXT)


@given(conditions(), tickets())
def test_V2_a_condition_or_its_negation_holds_and_never_both(condition: Node, facts: Facts) -> None:
    assert evaluate(condition, facts, CONTEXT) != evaluate(negation(condition), facts, CONTEXT)


@given(conditions(), conditions(), tickets())
def test_de_morgan(left: Node, right: Node, facts: Facts) -> None:
    neither = parse({"not": {"any": [left, right]}})
    both_not = parse({"all": [{"not": left}, {"not": right}]})
    assert evaluate(neither, facts, CONTEXT) == evaluate(both_not, facts, CONTEXT)


@given(leaf_conditions(), tickets())
def test_V2_a_negative_operator_denies_its_positive_one(leaf: Leaf, facts: Facts) -> None:
    if leaf.operator in NEGATED:
        affirmed = leaf.model_copy(update={"operator": NEGATED[leaf.operator]})
        assert evaluate(leaf, facts, CONTEXT) != evaluate(affirmed, facts, CONTEXT)


@given(leaf_conditions())
def test_V2_nothing_positive_holds_over_nothing(leaf: Leaf) -> None:
    if leaf.field not in ("hour", "weekday"):
        assert evaluate(leaf, {}, CONTEXT) == (leaf.operator in NEGATED)


@given(conditions(), tickets())
def test_a_condition_explains_itself_exactly_when_it_fails(condition: Node, facts: Facts) -> None:
    failures = explain(condition, facts, CONTEXT)
    assert (failures == ()) == evaluate(condition, facts, CONTEXT)
    assert {failure.leaf for failure in failures} <= set(leaves(condition))


@given(conditions(), conditions(), tickets())
def test_sharing_a_reading_changes_no_answer(left: Node, right: Node, facts: Facts) -> None:
    shared = Reading(facts, CONTEXT)
    assert [compiled(part)(shared) for part in (left, right)] == [
        evaluate(part, facts, CONTEXT) for part in (left, right)
    ]


def mirrored(condition: Node) -> Node:
    match condition:
        case All():
            return All(all=tuple(mirrored(part) for part in reversed(condition.all)))
        case AnyOf():
            return AnyOf(any=tuple(mirrored(part) for part in reversed(condition.any)))
        case Not():
            return negation(mirrored(condition.part))
        case Leaf():
            return condition


@given(conditions(), tickets())
def test_order_of_parts_does_not_matter(condition: Node, facts: Facts) -> None:
    assert evaluate(mirrored(condition), facts, CONTEXT) == evaluate(condition, facts, CONTEXT)
