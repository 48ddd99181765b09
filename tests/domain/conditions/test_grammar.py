"""What the grammar refuses, and how it says so: path, field, reason, what is allowed."""

from datetime import date, datetime

import pytest

from libs.conditions.problems import ConditionError
from libs.conditions.tree import parse, plain

REFUSED = [
    ("urgent", "is no condition; allowed: a mapping with all, any, not, or field and operator"),
    ({}, "field: is missing"),
    ({"all": []}, "all: is empty"),
    ({"any": [{"all": []}]}, "any[0].all: is empty"),
    ({"all": [{"field": "spam", "operator": "is", "value": True}], "any": []}, "any: is not known here"),
    (
        {"field": "subjct", "operator": "word", "value": "x"},
        "field: subjct - there is no field 'subjct'; allowed: subj",
    ),
    ({"field": "custom.Ö", "operator": "is_set"}, "there is no field"),
    (
        {"field": "subject", "operator": "is", "value": "x"},
        "operator: subject - 'is' does not suit a text; allowed: word",
    ),
    ({"field": "spam", "operator": "in", "value": [True]}, "allowed: is, is_not, is_set, is_unset"),
    ({"field": "spam", "operator": "is", "value": "true"}, "value: spam - 'true' does not suit a true or false"),
    ({"field": "hour", "operator": "is", "value": True}, "value: hour - True does not suit a whole number"),
    ({"field": "hour", "operator": "is", "value": 9.0}, "whole number"),
    ({"field": "hour", "operator": "is", "value": 2**53 + 1}, "whole number within 2^53"),
    ({"field": "hour", "operator": "is", "value": [9]}, "is takes one value, not a list"),
    ({"field": "hour", "operator": "in", "value": 9}, "in takes a list"),
    ({"field": "hour", "operator": "in", "value": []}, "in needs at least one value"),
    ({"field": "hour", "operator": "is"}, "is needs a value; to ask for an unset field use is_unset"),
    ({"field": "hour", "operator": "is_set", "value": 9}, "is_set takes no value"),
    ({"field": "category", "operator": "is", "value": ""}, "an empty text is never a value"),
    ({"field": "category", "operator": "is", "value": "x" * 257}, "at most 256 characters"),
    ({"field": "category", "operator": "is", "value": "\ud800"}, "half of a surrogate pair"),
    ({"field": "category", "operator": "is", "value": {"a": 1}}, "a value is text, a number, true, false or a list"),
    ({"field": "category", "operator": "is", "value": "$me"}, "$me cannot be used with category is"),
    ({"field": "assignee", "operator": "is", "value": "$you"}, "allowed: $me with is, is_not, in, not_in"),
    ({"field": "queue", "operator": "is", "value": "$my_queues"}, "allowed: $my_queues with in, not_in"),
    (
        {"field": "priority", "operator": "is", "value": "blocker"},
        "allowed: low, medium, high, critical, urgent, normal",
    ),
    ({"field": "priority", "operator": "at_least", "value": 3}, "allowed: low, medium"),
    (
        {"field": "status_category", "operator": "is", "value": "new"},
        "allowed: open, pending, on_hold, resolved, closed",
    ),
    ({"field": "subject", "operator": "word", "value": "\u00ad "}, "word needs visible text"),
    ({"field": "subject", "operator": "contains", "value": 5}, "contains looks for text, not 5"),
    ({"field": "subject", "operator": "matches", "value": "(?=x)"}, "RE2 refuses the pattern '(?=x)'"),
    ({"field": "subject", "operator": "matches", "value": "(a{999}){999}"}, "RE2 refuses the pattern"),
    ({"field": "subject", "operator": "matches", "value": "x" * 1001}, "longer than 1000 characters"),
    ({"field": "created_at", "operator": "before", "value": "24h"}, "a signed span such as -24h"),
    ({"field": "created_at", "operator": "before", "value": "-99999d"}, "a signed span such as -24h"),
    ({"field": "created_at", "operator": "before", "value": date(2026, 1, 1)}, "a timestamp with its offset"),
    ({"field": "created_at", "operator": "before", "value": datetime(2026, 1, 1)}, "a timestamp with its offset"),
    ({"field": "created_at", "operator": "within", "value": "now"}, "'now' is not a window"),
    ({"field": "custom.a", "operator": "less_than", "value": "5"}, "less_than compares numbers, not '5'"),
    ({"field": "tags", "operator": "has_any", "value": ["x"] * 501}, "has 501 values, at most 500 are allowed"),
    ({"field": "custom.a", "operator": "is", "value": float("nan")}, "does not suit a custom value"),
    ({"field": "custom.a", "operator": "is", "value": float("inf")}, "does not suit a custom value"),
]


@pytest.mark.parametrize(("raw", "reason"), REFUSED)
def test_refused_with_place_and_reason(raw: object, reason: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse(raw)
    assert reason in str(caught.value)


def test_every_problem_is_named_with_its_path() -> None:
    raw = {
        "all": [
            {"field": "subject", "operator": "word", "value": "refund"},
            {"not": {"any": [{"field": "hour", "operator": "is", "value": "9"}]}},
            {"field": "colour", "operator": "is", "value": "red"},
        ]
    }
    with pytest.raises(ConditionError) as caught:
        parse(raw)
    assert [problem.where for problem in caught.value.problems] == ["all[1].not.any[0].value", "all[2].field"]
    assert [problem.field for problem in caught.value.problems] == ["hour", "colour"]


def nested(depth: int) -> dict[str, object]:
    leaf: dict[str, object] = {"field": "spam", "operator": "is", "value": True}
    for _ in range(depth):
        leaf = {"not": leaf}
    return leaf


def test_depth_and_size_are_bounded() -> None:
    parse(nested(12))
    with pytest.raises(ConditionError, match="nested more than 16 deep"):
        parse(nested(2000))
    wide: object = {"field": "spam", "operator": "is", "value": True}
    for _ in range(6):
        wide = {"any": [wide] * 9}
    with pytest.raises(ConditionError, match="more than 1000 parts"):
        parse(wide)


def test_a_condition_survives_the_way_through_plain_data() -> None:
    raw = {
        "any": [
            {"not": {"field": "tags", "operator": "has_any", "value": ["a", "b"]}},
            {"all": [{"field": "priority", "operator": "at_least", "value": "urgent"}]},
            {"field": "created_at", "operator": "after", "value": "2026-01-01T00:00:00+00:00"},
            {"field": "resolved_at", "operator": "is_unset"},
        ]
    }
    assert plain(parse(raw)) == raw
    assert parse(plain(parse(raw))) == parse(raw)
