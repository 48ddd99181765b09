"""Why a condition failed, in words a person can act on."""

from libs.conditions.explain import explain
from libs.conditions.tree import parse
from tests.domain.conditions.ask import CONTEXT

CONDITION = parse(
    {
        "all": [
            {"field": "subject", "operator": "word", "value": ["refund", "rückerstattung"]},
            {"field": "priority", "operator": "at_least", "value": "high"},
            {
                "any": [
                    {"field": "tier", "operator": "is", "value": "vip"},
                    {"field": "tags", "operator": "has", "value": "beta"},
                ]
            },
            {"not": {"field": "spam", "operator": "is", "value": True}},
        ]
    }
)


def told(facts: dict[str, object]) -> list[str]:
    return [str(failure) for failure in explain(CONDITION, facts, CONTEXT)]


def test_a_condition_that_holds_has_nothing_to_explain() -> None:
    assert told({"subject": "Refund", "priority": "critical", "tags": ["beta"]}) == []


def test_the_failing_leaves_are_listed_with_what_was_found() -> None:
    assert told({"subject": "Refund", "priority": "low", "tier": "vip", "spam": True}) == [
        "all[1]: priority at_least 'high' - found low",
        "all[3].not: not (spam is True) - found True",
    ]


def test_every_part_of_an_any_is_listed_when_none_holds() -> None:
    assert told({"subject": "refund", "priority": "high"}) == [
        "all[2].any[0]: tier is 'vip' - found nothing",
        "all[2].any[1]: tags has 'beta' - found nothing",
    ]


def test_the_words_of_customers_are_never_repeated() -> None:
    found = told({"subject": "my secret", "priority": "high", "tier": "vip"})
    assert found == ["all[0]: subject word ['refund', 'rückerstattung'] - found (text)"]
