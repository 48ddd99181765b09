"""Conditions as people type them."""

import pytest
from hypothesis import given

from libs.conditions.tree import All, AnyOf, Leaf, Node, Not, parse
from libs.conditions.where_text import MAX_WHERE, parse_where
from libs.conditions.where_tokens import WhereError
from libs.conditions.where_writing import write
from tests.domain.conditions.strategies import conditions


def leaf(field: str, operator: str, value: object = None) -> Leaf:
    found = parse({"field": field, "operator": operator, "value": value})
    assert isinstance(found, Leaf)
    return found


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("status = open", leaf("status", "is", "open")),
        ("status is open", leaf("status", "is", "open")),
        ("status!=open", leaf("status", "is_not", "open")),
        ("status IN (open, 'in progress')", leaf("status", "in", ["open", "in progress"])),
        ("status not in (open)", leaf("status", "not_in", ["open"])),
        ("assignee = $me", leaf("assignee", "is", "$me")),
        ("queue in $my_queues", leaf("queue", "in", "$my_queues")),
        ("queue is unset", leaf("queue", "is_unset")),
        ("queue is_set", leaf("queue", "is_set")),
        ("category = set", leaf("category", "is", "set")),
        ("priority >= high", leaf("priority", "at_least", "high")),
        ("created_at < -2d", leaf("created_at", "before", "-2d")),
        ("created_at > 2026-03-01T09:00:00Z", leaf("created_at", "after", "2026-03-01T09:00:00Z")),
        ("next_deadline within +4h", leaf("next_deadline", "within", "+4h")),
        ("tags has vip", leaf("tags", "has", "vip")),
        ("tags has any", leaf("tags", "has", "any")),
        ("tags has any (a, b/c)", leaf("tags", "has_any", ["a", "b/c"])),
        ("tags has none (a)", leaf("tags", "has_none", ["a"])),
        ("routed = true", leaf("routed", "is", True)),
        ("human_replies <= 3", leaf("human_replies", "at_most", 3)),
        ("custom.order = 12", leaf("custom.order", "is", 12)),
        ('custom.order = "12"', leaf("custom.order", "is", "12")),
        ("custom.order = 1.5", leaf("custom.order", "is", 1.5)),
        ("category = 12", leaf("category", "is", "12")),
        (r'subject contains "\"quoted\" \u00df"', leaf("subject", "contains", '"quoted" ß')),
        ("body word (refund, 'money back')", leaf("body", "word", ["refund", "money back"])),
    ],
)
def test_a_comparison_is_read_as_meant(text: str, meant: Leaf) -> None:
    assert parse_where(text) == meant


def test_and_binds_closer_than_or_and_not_closest() -> None:
    a, b, c = (leaf("status", "is", key) for key in "abc")
    assert parse_where("status = a or status = b and not status = c") == AnyOf(any=(a, All(all=(b, Not.of(c)))))
    assert parse_where("(status = a OR status = b) AND status = c") == All(all=(AnyOf(any=(a, b)), c))


def test_the_example_of_the_documentation_is_written_as_it_is_read() -> None:
    text = "status = open and (priority in (high, critical) or tags has vip) and created_at < -2d"
    assert write(parse_where(text)) == text


@given(conditions())
def test_V1_what_is_written_is_read_as_the_same_condition(condition: Node) -> None:
    text = write(condition)
    again = parse_where(text)
    assert again == without_groups_of_one(condition)
    assert write(again) == text


def without_groups_of_one(condition: Node) -> Node:
    match condition:
        case All():
            parts = tuple(map(without_groups_of_one, condition.all))
            return parts[0] if len(parts) == 1 else All(all=parts)
        case AnyOf():
            parts = tuple(map(without_groups_of_one, condition.any))
            return parts[0] if len(parts) == 1 else AnyOf(any=parts)
        case Not():
            return Not.of(without_groups_of_one(condition.part))
    return condition


@pytest.mark.parametrize(
    ("text", "position", "token", "allowed"),
    [
        ("", 1, "", "a field"),
        ("prio = 3", 1, "prio", "priority"),
        ("status < open", 8, "<", "!="),
        ("status resembles open", 8, "resembles", "not in"),
        ("created_at >= -2d", 12, ">=", "within"),
        ("status =", 9, "", "quotes"),
        ("status = and", 10, "and", "quotes"),
        ("status in (open, and)", 18, "and", "quotes"),
        ("priority in (high, huge)", 20, "huge", "critical"),
        ("created_at < soon", 14, "soon", "-24h"),
        ("human_replies = many", 17, "many", "whole number"),
        ("(status = open", 15, "", ")"),
        ("status = open)", 14, ")", "the end"),
        ("status = open open", 15, "open", "and, or"),
        ("tags has any (a b)", 17, "b", "comma"),
        ("status = (open)", 10, "(", ""),
        ("status = 'open", 10, "'open", ""),
        ('status = "\\q"', 10, '"\\q"', r"\uXXXX"),
        ("status ~ open", 8, "~", "="),
        ("status = open ; drop", 15, ";", "and, or"),
        ("assignee = $my_queues", 12, "$my_queues", "$me"),
        ("(" * 17 + "status = open" + ")" * 17, 17, "(", ""),
    ],
)
def test_a_refusal_names_the_place_the_token_and_what_is_allowed(
    text: str, position: int, token: str, allowed: str
) -> None:
    with pytest.raises(WhereError) as refused:
        parse_where(text)
    error = refused.value
    assert (error.position, error.token) == (position, token)
    assert allowed in error.allowed
    assert str(position) in str(error)


def test_a_text_has_a_limit() -> None:
    with pytest.raises(WhereError, match=f"more than {MAX_WHERE}"):
        parse_where("status = open or " * 1000 + "status = open")
