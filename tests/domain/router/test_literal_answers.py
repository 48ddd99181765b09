"""Null and text cases answered by the real engine as the hand-written tables demand: engine and oracle share the text
matching, so their agreement alone would prove nothing."""

import pytest

from libs.conditions.reading import Context
from tests.domain.conditions.test_nulls import ABOUT_NOTHING
from tests.domain.conditions.test_text import CONTAINS, MATCHES, WORDS
from tests.domain.conditions.test_values import CUSTOM, SET
from tests.domain.router.ask import NOW, fired, leaf, rule

RULES_ABOUT_NOTHING = [row for row in ABOUT_NOTHING if not str(row[2]).count("$m")]


def test_V2_every_comparison_over_nothing_in_one_set_of_rules() -> None:
    rules = [rule(f"r{at}", leaf(*row[:3])) for at, row in enumerate(RULES_ABOUT_NOTHING)]
    denials = [rule(f"not-r{at}", {"not": leaf(*row[:3])}) for at, row in enumerate(RULES_ABOUT_NOTHING)]
    holding = [f"r{at}" for at, row in enumerate(RULES_ABOUT_NOTHING) if row[3]]
    denied = [f"not-r{at}" for at, row in enumerate(RULES_ABOUT_NOTHING) if not row[3]]
    assert fired([*rules, *denials], Context(now=NOW)) == [*holding, *denied]


def test_V2_an_empty_text_is_nothing_to_the_engine_too() -> None:
    rules = [
        rule("is", leaf("category", "is", "billing")),
        rule("is-not", leaf("category", "is_not", "billing")),
        rule("set", leaf("category", "is_set")),
        rule("unset", leaf("category", "is_unset")),
        rule("in", leaf("category", "in", ["billing", "sales"])),
        rule("not-in", leaf("category", "not_in", ["billing", "sales"])),
    ]
    for nothing in ("", None):
        assert fired(rules, category=nothing) == ["is-not", "unset", "not-in"]
    assert fired(rules, category="billing") == ["is", "set", "in"]
    assert fired(rules, category="other") == ["is-not", "set", "not-in"]


@pytest.mark.parametrize(
    ("operator", "table"), [("word", WORDS), ("contains", CONTAINS), ("matches", MATCHES)], ids=lambda one: str(one)[:8]
)
def test_E5_text_rules(operator: str, table: list[tuple[str, str | None, bool]]) -> None:
    needles = list(dict.fromkeys(needle for needle, _, _ in table))
    rules = [rule(f"r{at}", leaf("subject", operator, needle)) for at, needle in enumerate(needles)]
    rules += [rule(f"not-r{at}", {"not": leaf("subject", operator, needle)}) for at, needle in enumerate(needles)]
    for needle, subject, found in table:
        at = needles.index(needle)
        answers = fired(rules, subject=subject)
        assert (f"r{at}" in answers) is found
        assert (f"not-r{at}" in answers) is not found


@pytest.mark.parametrize(("field", "operator", "value", "fact", "expected"), SET)
def test_comparisons_of_set_values(field: str, operator: str, value: object, fact: object, expected: bool) -> None:
    rules = [rule("yes", leaf(field, operator, value)), rule("no", {"not": leaf(field, operator, value)})]
    assert fired(rules, **{field: fact}) == (["yes"] if expected else ["no"])


def test_custom_fields_never_compare_across_types() -> None:
    for operator, value, fact, expected in CUSTOM:
        rules = [rule("yes", leaf("custom.version", operator, value))]
        assert fired(rules, custom={"version": fact}) == (["yes"] if expected else [])


def test_texts_that_look_like_other_values_stay_texts() -> None:
    rules = [rule(f"r{at}", leaf("category", "is", text)) for at, text in enumerate(ODD)]
    for at, text in enumerate(ODD):
        assert fired(rules, category=text) == [f"r{at}"]


ODD = (
    "1",
    "1.0",
    "true",
    "null",
    "a'b",
    'a"b',
    "a\\b",
    "a\nb",
    "a\x00b",
    "a\tb",
    "日本",
    "😀",
    "{}",
    "a$neq",
    "x" * 256,
)
