"""Unset values, by hand-written expectations (behaviour V-2, decisions 29)."""

import math

import pytest

from libs.conditions.evaluate import evaluate
from libs.conditions.reading import Context
from libs.conditions.tree import parse
from tests.domain.conditions.ask import CONTEXT, NOW, holds

ABOUT_NOTHING = [
    # field, operator, value, holds over an unset value
    ("priority", "is", "high", False),
    ("priority", "is_not", "high", True),
    ("priority", "in", ["low", "high"], False),
    ("priority", "not_in", ["low", "high"], True),
    ("priority", "less_than", "critical", False),
    ("priority", "at_most", "critical", False),
    ("priority", "greater_than", "low", False),
    ("priority", "at_least", "low", False),
    ("priority", "is_set", None, False),
    ("priority", "is_unset", None, True),
    ("category", "is", "billing", False),
    ("category", "is_not", "billing", True),
    ("category", "in", ["billing"], False),
    ("category", "not_in", ["billing"], True),
    ("assignee", "is", "$me", False),
    ("assignee", "is_not", "$me", True),
    ("assignee", "in", ["$me", "ada"], False),
    ("queue", "in", "$my_queues", False),
    ("queue", "not_in", "$my_queues", True),
    ("human_replies", "is", 0, False),
    ("human_replies", "is_not", 5, True),
    ("human_replies", "in", [0, 1], False),
    ("human_replies", "not_in", [0, 1], True),
    ("human_replies", "less_than", 5, False),
    ("human_replies", "at_most", 5, False),
    ("human_replies", "greater_than", -1, False),
    ("human_replies", "at_least", 0, False),
    ("routed", "is", False, False),
    ("routed", "is_not", False, True),
    ("routed", "is_not", True, True),
    ("business_hours", "is", False, False),
    ("business_hours", "is_not", True, True),
    ("next_deadline", "before", "now", False),
    ("next_deadline", "after", "now", False),
    ("next_deadline", "within", "+4h", False),
    ("next_deadline", "is_set", None, False),
    ("next_deadline", "is_unset", None, True),
    ("tags", "has", "vip", False),
    ("tags", "has_any", ["vip", "beta"], False),
    ("tags", "has_none", ["vip", "beta"], True),
    ("tags", "is_set", None, False),
    ("tags", "is_unset", None, True),
    ("subject", "word", "refund", False),
    ("subject", "contains", "refund", False),
    ("subject", "matches", "refund|", False),
    ("subject", "is_set", None, False),
    ("subject", "is_unset", None, True),
    ("organisation", "word", "acme", False),
    ("organisation", "is_not", "acme", True),
    ("custom.order", "is", "A1", False),
    ("custom.order", "is_not", "A1", True),
    ("custom.order", "less_than", 5, False),
    ("custom.order", "at_least", -5.5, False),
    ("custom.order", "is", False, False),
    ("custom.order", "contains", "a", False),
    ("custom.order", "is_unset", None, True),
]


@pytest.mark.parametrize(("field", "operator", "value", "expected"), ABOUT_NOTHING)
def test_V2_unset_satisfies_negative_comparisons_only(field: str, operator: str, value: object, expected: bool) -> None:
    leaf = parse({"field": field, "operator": operator, "value": value})
    nothing = Context(now=NOW)
    assert evaluate(leaf, {}, nothing) is expected
    assert evaluate(leaf, {field: None}, nothing) is expected
    assert evaluate(parse({"not": leaf}), {}, nothing) is not expected


@pytest.mark.parametrize("unset", ["", None])
def test_V2_an_empty_text_is_unset(unset: str | None) -> None:
    assert holds("category", "is_unset", category=unset)
    assert holds("subject", "is_unset", subject=unset)


@pytest.mark.parametrize("unset", [[], (), set(), None])
def test_V2_an_empty_set_is_unset(unset: object) -> None:
    assert holds("tags", "is_unset", tags=unset)


def test_V2_not_a_number_is_unset() -> None:
    custom = {"weight": math.nan}
    assert holds("custom.weight", "is_unset", custom=custom)
    assert holds("custom.weight", "is_not", 1.5, custom=custom)
    assert not holds("custom.weight", "less_than", 1.5, custom=custom)


def test_V2_me_is_nobody_when_nobody_asks() -> None:
    assert not holds("assignee", "is", "$me", assignee="ada")
    assert holds("assignee", "is_not", "$me", assignee="ada")
    assert not holds("queue", "in", "$my_queues", queue="billing")


def test_V2_not_over_an_unset_comparison_is_true() -> None:
    condition = parse({"not": {"field": "human_replies", "operator": "greater_than", "value": 3}})
    assert evaluate(condition, {}, CONTEXT)
    assert evaluate(condition, {"human_replies": 3}, CONTEXT)
    assert not evaluate(condition, {"human_replies": 4}, CONTEXT)
