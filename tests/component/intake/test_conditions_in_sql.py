"""A condition over the table of tickets finds what evaluation in memory finds (behaviour V-1, V-2)."""

from collections.abc import Mapping
from datetime import timedelta
from json import dumps
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.conditions.evaluate import evaluate
from libs.conditions.fields import PRIORITIES, STATUS_CATEGORIES
from libs.conditions.reading import Context
from libs.conditions.sql import Parameters, where
from libs.conditions.tree import Node
from libs.conditions.where_text import parse_where
from services.intake.questions import COLUMNS
from tests.component.intake.conftest import Intake
from tests.domain.conditions.ask import NOW
from tests.domain.conditions.strategies import CUSTOM, KEYS, TEXTS, conditions

CONTEXT = Context(now=NOW, me="ada", my_queues=frozenset({"billing", "bücher"}))
IN_MEMORY = ("body", "word", "contains", "matches")
ALWAYS: dict[str, Any] = {
    **dict.fromkeys(("reference", "channel", "status", "subject"), ""),
    **dict.fromkeys(("suppress_reply", "routed", "spam"), False),
    **dict.fromkeys(("version", "epoch", "customer_messages", "human_replies"), 0),
    **dict.fromkeys(("created_at", "updated_at"), NOW),
    **dict.fromkeys(("tags", "set_by_person"), ()),
    "custom": {},
    "status_category": "open",
}
moments = st.sampled_from((-200, -24, -1, 0, 1, 4, 100)).map(lambda hours: NOW + timedelta(hours=hours))
keys = st.sampled_from((*KEYS, "", "refund"))
values = st.sampled_from((*CUSTOM, "", "my money back", "ﬁne", 2**53 + 1, 10**30, 0.1, -1e300))


def rows() -> st.SearchStrategy[dict[str, Any]]:
    """What a row of `tickets` may hold, unset values among it."""
    columns: dict[str, st.SearchStrategy[Any]] = {
        **dict.fromkeys(("assignee", "queue", "category", "tier", "organisation", "language"), keys),
        **{name: st.just(None) | moments for name in ("resolved_at", "next_deadline")},
        **dict.fromkeys(("created_at", "updated_at"), moments),
        **{name: st.sampled_from((0, 1, 2, 5)) for name in ("human_replies", "customer_messages")},
        **{name: st.booleans() for name in ("routed", "spam")},
        **dict.fromkeys(("status", "channel"), keys),
        "status_category": st.sampled_from(STATUS_CATEGORIES),
        "priority": st.sampled_from(PRIORITIES),
        "tags": st.lists(st.sampled_from(KEYS), max_size=3),
        "custom": st.dictionaries(st.sampled_from(("order", "weight")), values),
        "subject": st.sampled_from((*TEXTS, "My money  BACK", "Straße", "ﬁne", "", "refunds")),
    }
    return st.fixed_dictionaries({}, optional=columns)


async def found(intake: Intake, tickets: list[dict[str, Any]], condition: Node) -> tuple[set[int], bool]:
    """The places of the tickets that PostgreSQL finds, and whether it is sure."""
    parameters = Parameters()
    asked = where(condition, COLUMNS, CONTEXT, parameters)
    async with intake.pool.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            for place, ticket in enumerate(tickets):
                await connection.execute(*insertion(str(place), ticket))
            query = f"SELECT id FROM tickets AS t WHERE {asked.sql}"
            rows = await connection.fetch(query, *parameters.values)
        finally:
            await transaction.rollback()
    return {int(row["id"]) for row in rows}, asked.exact


def insertion(id: str, ticket: Mapping[str, Any]) -> list[Any]:
    row = {"id": id, **ALWAYS, **ticket, "reference": id}
    row["custom"] = dumps(row["custom"])
    casts = [f"${place}::text::jsonb" if name == "custom" else f"${place}" for place, name in enumerate(row, 1)]
    return [f"INSERT INTO tickets ({', '.join(row)}) VALUES ({', '.join(casts)})", *row.values()]


def in_memory(tickets: list[dict[str, Any]], condition: Node) -> set[int]:
    facts = [{**ALWAYS, **ticket} for ticket in tickets]
    return {place for place, each in enumerate(facts) if evaluate(condition, each, CONTEXT)}


LONG = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@LONG
@given(condition=conditions(IN_MEMORY), tickets=st.lists(rows(), min_size=1, max_size=4))
async def test_V1_V2_postgres_and_memory_agree(intake: Intake, condition: Node, tickets: list[dict[str, Any]]) -> None:
    assert await found(intake, tickets, condition) == (in_memory(tickets, condition), True)


@LONG
@given(condition=conditions(), tickets=st.lists(rows(), min_size=1, max_size=4))
async def test_V1_postgres_leaves_nothing_out_that_memory_has_to_look_at(
    intake: Intake, condition: Node, tickets: list[dict[str, Any]]
) -> None:
    rows, exact = await found(intake, tickets, condition)
    wanted = in_memory(tickets, condition)
    assert rows == wanted if exact else rows >= wanted


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("assignee != ada", {1, 2}),
        ("assignee = $me", {0}),
        ("not assignee = $me", {1, 2}),
        ("assignee is unset", {1}),
        ("queue in $my_queues", {2}),
        ("queue not in $my_queues", {0, 1}),
        ("priority >= high", {0}),
        ("not priority >= high", {1, 2}),
        ("custom.order = 12", {0}),
        ("custom.order = '12'", {2}),
        ("custom.order != 12", {1, 2}),
        ("custom.order > 3", {0}),
        ('category = "x\'); DROP TABLE tickets; --"', {1}),
        ("hour = 12 and weekday = 3", {0, 1, 2}),
        ("business_hours is unset", {0, 1, 2}),
        ('category = "nul\\u0000"', set()),
        ('category != "nul\\u0000"', {0, 1, 2}),
    ],
)
async def test_V2_an_unset_column_satisfies_denials_only(intake: Intake, text: str, places: set[int]) -> None:
    tickets: list[dict[str, Any]] = [
        {"assignee": "ada", "priority": "critical", "custom": {"order": 12}},
        {"category": "x'); DROP TABLE tickets; --"},
        {"assignee": "bob", "queue": "billing", "custom": {"order": "12"}, "priority": "low"},
    ]
    condition = parse_where(text)
    assert await found(intake, tickets, condition) == (places, True)
    assert in_memory(tickets, condition) == places
