"""Alternatives of conjunctions say the same as the condition, within their bounds."""

from hypothesis import given

from libs.conditions.evaluate import compiled, evaluate
from libs.conditions.reading import Reading
from libs.conditions.tree import Node, parse
from services.router.normal_form import MAX_ALTERNATIVES, MAX_LITERALS, alternatives
from tests.domain.conditions.strategies import conditions, tickets
from tests.domain.router.ask import CONTEXT, leaf, word


def holds(condition: Node | None, facts: dict[str, object]) -> bool:
    reading = Reading(facts, CONTEXT)
    return any(
        all(compiled(literal.question)(reading) == literal.holds for literal in conjunction)
        for conjunction in alternatives(condition)
    )


@given(conditions(), tickets())
def test_the_form_holds_exactly_when_the_condition_does(condition: Node, facts: dict[str, object]) -> None:
    assert holds(condition, facts) == evaluate(condition, facts, CONTEXT)


@given(conditions())
def test_the_form_is_bounded(condition: Node) -> None:
    assert len(alternatives(condition)) <= MAX_ALTERNATIVES
    assert all(len(conjunction) <= MAX_LITERALS for conjunction in alternatives(condition))


def test_wide_conditions_become_one_question() -> None:
    wide = parse({"any": [word(f"w{at}") for at in range(5)]})
    assert [[literal.question for literal in conjunction] for conjunction in alternatives(wide)] == [[wide]]


def test_only_the_wide_part_is_asked_as_a_whole() -> None:
    wide = parse({"any": [word(f"w{at}") for at in range(5)]})
    tier = parse(leaf("tier", "is", "vip"))
    (conjunction,) = alternatives(parse({"all": [tier, wide]}))
    assert {literal.text for literal in conjunction} == {
        literal.text for part in (tier, wide) for one in alternatives(part) for literal in one
    }


def test_long_conjunctions_are_packed() -> None:
    (conjunction,) = alternatives(parse({"all": [word(f"w{at}") for at in range(30)]}))
    assert len(conjunction) == MAX_LITERALS


def test_nothing_always_holds() -> None:
    assert holds(None, {})
