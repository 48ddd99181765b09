"""What a condition on statuses asks of stored tickets (behaviour S-8)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.conditions.evaluate import compiled
from libs.conditions.reading import Context, Reading
from libs.conditions.tree import Node
from libs.conditions.where_text import parse_where
from libs.contracts.ticket_state import StatusCategory
from services.intake.domain.status import Status, Statuses
from services.intake.reach import is_bounded, with_present_statuses

KEYS = {
    "open": "open",
    "busy": "open",
    "pending": "pending",
    "on_hold": "on_hold",
    "done": "resolved",
    "closed": "closed",
}
STATUSES = Statuses(
    (Status(key=key, category=StatusCategory(category), default=key != "busy") for key, category in KEYS.items()),
    aliases={"solved": "done"},
    moved={"rushed": "busy", "urgent": "busy", "parked": "on_hold"},
)
STORED = [*KEYS, "rushed", "urgent", "parked"]
WORDS = [*STORED, "solved", "unheard_of"]
CONTEXT = Context(now=datetime(2026, 3, 2, tzinfo=UTC))


def holds(condition: Node, status: str) -> bool:
    return compiled(condition)(Reading({"status": status}, CONTEXT))


@given(
    st.sampled_from(
        ["status in ({})", "status not in ({})", "not status in ({})", "not (tags has x or status in ({}))"]
    ),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4),
    st.sampled_from(STORED),
)
def test_S8_a_condition_holds_of_a_stored_ticket_as_of_the_status_it_counts_as(
    shape: str, words: list[str], stored: str
) -> None:
    meant = parse_where(shape.format(", ".join("done" if word == "solved" else word for word in words)))
    present = STATUSES.moved.get(stored, stored)
    assert holds(with_present_statuses(parse_where(shape.format(", ".join(words))), STATUSES), stored) is holds(
        meant, present
    )


@pytest.mark.parametrize("operator", ["=", "!="])
@pytest.mark.parametrize("word", ["busy", "rushed", "solved"])
@pytest.mark.parametrize("stored", STORED)
def test_S8_a_single_status_means_the_same_as_a_list_of_it(operator: str, word: str, stored: str) -> None:
    single = with_present_statuses(parse_where(f"status {operator} {word}"), STATUSES)
    several = "in" if operator == "=" else "not in"
    assert holds(single, stored) is holds(
        with_present_statuses(parse_where(f"status {several} ({word})"), STATUSES), stored
    )


@pytest.mark.parametrize(
    ("where", "bounded"),
    [("status = busy", True), ("status = closed", False), ("status in (busy, done)", True), ("status != busy", False)],
)
def test_S8_statuses_that_were_moved_leave_a_list_as_short_as_it_was(where: str, bounded: bool) -> None:
    assert is_bounded(with_present_statuses(parse_where(where), STATUSES), STATUSES) is bounded
