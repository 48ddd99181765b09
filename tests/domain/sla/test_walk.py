"""Whatever happens in whatever order, an independent walker over the calendar comes to the same opinion (L-1)."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.sla import Outcome, SlaDecided
from services.sla.document import read, written
from tests.domain.sla.naive import Happened, judge
from tests.domain.sla.story import THURSDAY, Story, one_policy

TARGETS = {"critical": 900, "high": 3_600, "medium": 14_400, "low": 28_800}
RULES = one_policy({priority: {"first_response": f"{seconds}s"} for priority, seconds in TARGETS.items()})

GAPS = st.one_of(
    st.integers(0, 40_000_000_000), st.sampled_from([0, 1_000_000, 900_000_000, 3_600_000_000, 57_600_000_000])
)
STEPS = st.lists(st.tuples(st.sampled_from(["pending", "open", "low", "high", "wait", "critical"]), GAPS), max_size=8)


def told(steps: list[tuple[str, int]], first: str, answered: bool) -> tuple[Story, list[Happened], datetime]:
    """A story of these steps, each so many microseconds after the one before, and the same for the walker."""
    story, history, at = Story(RULES), list[Happened](), THURSDAY
    story.open(at, priority=first, routed=True)
    paused = False
    for step, gap in steps:
        at += timedelta(microseconds=gap)
        story.wait_until(at - timedelta(microseconds=1))
        if step in TARGETS:
            story.change(at, priority=step)
            history.append(Happened(at, "target", TARGETS[step]))
        elif step != "wait":
            story.status(at, step)
            if paused != (step == "pending"):
                paused = step == "pending"
                history.append(Happened(at, "paused" if paused else "resumed"))
    if answered:
        at += timedelta(minutes=5)
        story.answer(at)
        history.append(Happened(at, "ended"))
    return story, history, at


@settings(max_examples=300, deadline=None)
@given(STEPS, st.sampled_from(sorted(TARGETS)), st.booleans())
def test_L1_deadlines_and_verdicts_are_those_of_the_walker(
    steps: list[tuple[str, int]], first: str, answered: bool
) -> None:
    story, history, now = told(steps, first, answered)
    story.wait_until(now)
    opinion = judge(THURSDAY, TARGETS[first], history, now)
    clock = story.first_response
    assert (clock.outcome, [event.at for event in story.all_said(SlaDecided)]) == (
        opinion.outcome and Outcome(opinion.outcome),
        [opinion.judged_at] if opinion.judged_at else [],
    )
    if opinion.outcome is None:
        assert clock.deadline == opinion.deadline


@settings(max_examples=100, deadline=None)
@given(STEPS, st.sampled_from(sorted(TARGETS)), st.booleans())
def test_what_is_stored_is_what_was_computed(steps: list[tuple[str, int]], first: str, answered: bool) -> None:
    story, _, _ = told(steps, first, answered)
    assert read(written(story.told)) == story.told
