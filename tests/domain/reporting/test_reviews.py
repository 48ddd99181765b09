"""Who gets the credit, and what a review looks back on (behaviour Q-3, Q-8)."""

from datetime import UTC, date, datetime

import pytest

from services.reporting.configuration import Limits
from services.reporting.domain.cube import Cube
from services.reporting.domain.period import Grain, Period
from services.reporting.writing import Numbers, trend_periods, write_review
from tests.domain.reporting.folded import cube_of
from tests.domain.reporting.story import Story

WEEK = Period.parse(Grain.WEEK, "2026-W12")


def test_Q3_an_answer_is_its_authors_and_a_resolution_is_the_assignees() -> None:
    story = Story("t").open(assignee="anna").reply("r1", author="ben").change("agent:ben", status="resolved")
    cube = cube_of(story.said, WEEK)
    assert cube.by("agent", "replied") == {"ben": 1}
    assert cube.by("agent", "resolved") == {"anna": 1}


@pytest.mark.parametrize(
    ("grain", "newest", "oldest"),
    [(Grain.WEEK, "2026-W11", "2026-W08"), (Grain.MONTH, "2026-02", "2025-11"), (Grain.QUARTER, "2025-Q4", "2025-Q1")],
)
def test_Q8_a_review_looks_back_on_the_four_periods_before(grain: Grain, newest: str, oldest: str) -> None:
    period = Period.of(grain, date(2026, 3, 16))
    before = [(earlier, Cube(())) for earlier in trend_periods(period)]
    numbers = Numbers(period, Cube(()), Cube(()), {}, before, [])
    review = write_review(numbers, Limits(), datetime(2026, 7, 1, tzinfo=UTC))
    assert [review.trend[0].period, review.trend[-1].period] == [newest, oldest]
    assert len(review.trend) == 4
    assert review.complete
