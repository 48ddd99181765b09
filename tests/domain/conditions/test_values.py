"""What each operator says about values that are set."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from libs.conditions.reading import Context, FactError
from tests.domain.conditions.ask import CONTEXT, NOW, holds

SET = [
    # field, operator, value, fact, holds
    ("status", "is", "open", "open", True),
    ("status", "is", "open", "Open", False),
    ("status", "is_not", "open", "closed", True),
    ("status_category", "in", ["open", "pending"], "pending", True),
    ("status_category", "not_in", ["open", "pending"], "pending", False),
    ("priority", "is", "urgent", "critical", True),
    ("priority", "is", "critical", "urgent", True),
    ("priority", "is", "medium", "normal", True),
    ("priority", "less_than", "high", "medium", True),
    ("priority", "less_than", "high", "high", False),
    ("priority", "at_most", "high", "high", True),
    ("priority", "at_most", "high", "critical", False),
    ("priority", "greater_than", "high", "urgent", True),
    ("priority", "greater_than", "high", "high", False),
    ("priority", "at_least", "high", "high", True),
    ("priority", "at_least", "high", "low", False),
    ("priority", "at_least", "low", "blocker", False),
    ("priority", "is_not", "low", "blocker", True),
    ("human_replies", "is", 0, 0, True),
    ("human_replies", "less_than", 0, 0, False),
    ("human_replies", "at_most", 0, 0, True),
    ("human_replies", "at_least", 1, 0, False),
    ("human_replies", "greater_than", 2**53, 2**200, True),
    ("human_replies", "is", 2**53, 2**53 + 1, False),
    ("human_replies", "in", [1, 2], 2, True),
    ("spam", "is", True, True, True),
    ("spam", "is_not", True, False, True),
    ("tags", "has", "vip", ["beta", "vip"], True),
    ("tags", "has", "vi", ["vip"], False),
    ("tags", "has_any", ["a", "b"], ("b",), True),
    ("tags", "has_any", ["a", "b"], {"c"}, False),
    ("tags", "has_none", ["a", "b"], {"c"}, True),
    ("tags", "has_none", ["a", "b"], {"c", "a"}, False),
    ("created_at", "before", "-24h", NOW - timedelta(hours=25), True),
    ("created_at", "before", "-24h", NOW - timedelta(hours=24), False),
    ("created_at", "after", "-24h", NOW - timedelta(hours=24), False),
    ("created_at", "after", "-24h", NOW - timedelta(hours=23), True),
    ("created_at", "within", "-7d", NOW - timedelta(days=7), True),
    ("created_at", "within", "-7d", NOW - timedelta(days=7, seconds=1), False),
    ("created_at", "within", "-7d", NOW + timedelta(seconds=1), False),
    ("next_deadline", "within", "+4h", NOW + timedelta(hours=4), True),
    ("next_deadline", "within", "+4h", NOW - timedelta(seconds=1), False),
    ("next_deadline", "before", "now", "2026-03-04T11:59:59Z", True),
    ("next_deadline", "before", "2026-03-04T12:00:00+02:00", "2026-03-04T09:59:59Z", True),
    ("next_deadline", "before", "2026-03-04T12:00:00+02:00", "2026-03-04T10:00:00Z", False),
    ("organisation", "word", "acme", "ACME Ltd", True),
]


@pytest.mark.parametrize(("field", "operator", "value", "fact", "expected"), SET)
def test_comparison(field: str, operator: str, value: object, fact: object, expected: bool) -> None:
    assert holds(field, operator, value, CONTEXT, **{field: fact}) is expected


CUSTOM = [
    ("is", "7", "7", True),
    ("is", "7", 7, False),
    ("is", 7, "7", False),
    ("is", 7, 7.0, True),
    ("is", 1, True, False),
    ("is", True, 1, False),
    ("is", True, True, True),
    ("is_not", 1, True, True),
    ("in", [1, "1"], "1", True),
    ("in", [1, "x"], True, False),
    ("less_than", 5, 4.5, True),
    ("less_than", 5, "4", False),
    ("less_than", 5, False, False),
    ("greater_than", 1.5, 10**400, True),
    ("word", "beta", "2.1 BETA", True),
    ("word", "2", 2, False),
    ("contains", "2.", "v2.1", True),
]


@pytest.mark.parametrize(("operator", "value", "fact", "expected"), CUSTOM)
def test_custom_fields_never_compare_across_types(operator: str, value: object, fact: object, expected: bool) -> None:
    assert holds("custom.version", operator, value, custom={"version": fact}) is expected
    assert holds("custom.version", operator, value, CONTEXT, **{"custom.version": fact}) is expected


def test_me_and_my_queues_are_those_of_the_context() -> None:
    ada = Context(now=NOW, me="ada", my_queues=frozenset({"billing"}))
    assert holds("assignee", "is", "$me", ada, assignee="ada")
    assert not holds("assignee", "is", "$me", ada, assignee="bob")
    assert holds("assignee", "in", ["$me", "bob"], ada, assignee="bob")
    assert holds("queue", "in", "$my_queues", ada, queue="billing")
    assert holds("queue", "not_in", "$my_queues", ada, queue="sales")


def test_hour_and_weekday_are_those_of_the_zone() -> None:
    tokyo = Context(now=datetime(2026, 3, 8, 16, 0, tzinfo=UTC), zone=ZoneInfo("Asia/Tokyo"))
    assert holds("hour", "is", 1, tokyo)
    assert holds("weekday", "is", 1, tokyo)
    assert holds("weekday", "is", 7, Context(now=tokyo.now))


def test_business_hours_come_from_the_context_unless_a_fact_says_so() -> None:
    assert holds("business_hours", "is", True, Context(now=NOW, business_hours=True))
    assert holds("business_hours", "is", False, Context(now=NOW, business_hours=True), business_hours=False)


WRONG = [
    ("status", "is", "open", 5),
    ("human_replies", "is", 5, "5"),
    ("human_replies", "is", 1, True),
    ("human_replies", "is", 1, 1.0),
    ("spam", "is", True, 1),
    ("tags", "has", "a", "abc"),
    ("tags", "has", "a", [1]),
    ("created_at", "before", "now", "yesterday"),
    ("created_at", "before", "now", datetime(2026, 1, 1)),
    ("subject", "word", "a", b"a"),
    ("custom.a", "is", "a", ["a"]),
]


@pytest.mark.parametrize(("field", "operator", "value", "fact"), WRONG)
def test_a_fact_of_the_wrong_type_is_an_error_that_names_its_field(
    field: str, operator: str, value: object, fact: object
) -> None:
    with pytest.raises(FactError, match=field):
        holds(field, operator, value, CONTEXT, **{field: fact})
