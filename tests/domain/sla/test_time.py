"""What time alone says: warnings, breaches, final targets; and what facts that are heard late take back."""

from datetime import timedelta

import pytest

from libs.contracts.event import Event
from libs.contracts.sla import Metric, Outcome, SlaCorrected, SlaDecided, SlaWarned, TargetsSet, TargetState
from services.sla.domain.due import next_due
from tests.domain.sla.story import THURSDAY, Story, one_policy

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
def story() -> Story:
    """An hour for the first response, all day long, routed."""
    story = Story(one_policy({"first_response": "1h"}, schedule="always"))
    story.open(THURSDAY, routed=True)
    return story


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_W1_W3_the_warning_comes_once_at_80_percent(story: Story) -> None:
    assert story.wait_until(THURSDAY + 48 * MINUTE - timedelta(microseconds=1)) == []
    (warned,) = story.wait_until(THURSDAY + 48 * MINUTE)
    assert isinstance(warned, SlaWarned)
    assert (warned.scheduled_for, warned.deadline, warned.threshold) == (
        THURSDAY + 48 * MINUTE,
        THURSDAY + HOUR,
        0.8,
    )
    assert story.wait_until(THURSDAY + 59 * MINUTE) == []


def test_W4_no_warning_after_the_answer(story: Story) -> None:
    story.answer(THURSDAY + 47 * MINUTE)
    assert story.wait_until(THURSDAY + 5 * HOUR) == []


def test_L10_the_breach_is_due_at_the_deadline_itself(story: Story) -> None:
    story.wait_until(THURSDAY + HOUR - timedelta(microseconds=1))
    decided, targets = story.wait_until(THURSDAY + HOUR)
    assert isinstance(decided, SlaDecided)
    assert isinstance(targets, TargetsSet)
    assert (decided.outcome, decided.cause, decided.at) == (Outcome.BREACHED, "deadline_passed", THURSDAY + HOUR)
    assert targets.targets[0].state is TargetState.BREACHED


def test_L11_after_downtime_a_warning_older_than_its_breach_is_not_said(story: Story) -> None:
    assert kinds(story.wait_until(THURSDAY + 3 * HOUR)) == ["SlaDecided", "TargetsSet"]
    assert story.first_response.warned == THURSDAY + 48 * MINUTE


def test_W1_a_pause_unschedules_the_warning(story: Story) -> None:
    story.status(THURSDAY + 40 * MINUTE, "pending")
    assert next_due(story.told) is None
    story.status(THURSDAY + 100 * MINUTE, "open")
    assert next_due(story.told) == THURSDAY + 108 * MINUTE


def test_W1_resuming_past_80_percent_warns_at_once() -> None:
    story = Story(one_policy({"low": {"first_response": "8h"}, "high": {"first_response": "1h"}}, schedule="always"))
    story.open(THURSDAY, routed=True, priority="low")
    story.status(THURSDAY + 50 * MINUTE, "pending")
    story.change(THURSDAY + 55 * MINUTE, priority="high")
    assert story.wait_until(THURSDAY + 90 * MINUTE) == []
    story.status(THURSDAY + 90 * MINUTE, "open")
    (warned,) = story.wait_until(THURSDAY + 90 * MINUTE)
    assert isinstance(warned, SlaWarned)
    assert (warned.scheduled_for, warned.deadline) == (THURSDAY + 90 * MINUTE, THURSDAY + 100 * MINUTE)


def test_W3_a_warning_is_not_repeated_for_a_new_target() -> None:
    story = Story(one_policy({"low": {"first_response": "8h"}, "high": {"first_response": "1h"}}, schedule="always"))
    story.open(THURSDAY, routed=True, priority="high")
    story.wait_until(THURSDAY + 48 * MINUTE)
    story.change(THURSDAY + 49 * MINUTE, priority="low")
    story.wait_until(THURSDAY + 7 * HOUR)
    assert len(story.all_said(SlaWarned)) == 1


def test_11_targets_are_said_once_the_ticket_is_routed() -> None:
    story = Story()
    assert story.open(THURSDAY) == []
    (said,) = story.change(THURSDAY + SECOND, routed=True)
    assert isinstance(said, TargetsSet)
    assert said.final
    (later,) = story.change(THURSDAY + 2 * SECOND, priority="high")
    assert isinstance(later, TargetsSet)
    assert not later.final


def test_11_or_sixty_seconds_after_opening() -> None:
    story = Story()
    story.open(THURSDAY)
    assert story.wait_until(THURSDAY + 59.9 * SECOND) == []
    (said,) = story.wait_until(THURSDAY + 60 * SECOND)
    assert isinstance(said, TargetsSet)
    assert said.final
    assert story.change(THURSDAY + 70 * SECOND, routed=True) == []


def test_13_an_answer_in_time_that_is_heard_after_the_breach_corrects_it(story: Story) -> None:
    story.wait_until(THURSDAY + HOUR)
    corrected, *_ = story.answer(THURSDAY + 59 * MINUTE, now=THURSDAY + 61 * MINUTE)
    assert isinstance(corrected, SlaCorrected)
    assert (corrected.old, corrected.new, corrected.at, corrected.running_seconds) == (
        Outcome.BREACHED,
        Outcome.MET,
        THURSDAY + 59 * MINUTE,
        59 * 60,
    )


def test_13_a_late_answer_heard_after_the_breach_corrects_nothing(story: Story) -> None:
    story.wait_until(THURSDAY + HOUR)
    assert story.answer(THURSDAY + 61 * MINUTE) == []
    assert story.first_response.ended_at == THURSDAY + 61 * MINUTE


def test_13_a_pause_that_is_heard_after_the_breach_withdraws_it_until_the_true_deadline(story: Story) -> None:
    story.wait_until(THURSDAY + HOUR)
    corrected, _ = story.status(THURSDAY + 50 * MINUTE, "pending", now=THURSDAY + 61 * MINUTE)
    assert isinstance(corrected, SlaCorrected)
    assert corrected.withdrawn
    story.status(THURSDAY + 90 * MINUTE, "open")
    again, *_ = story.wait_until(THURSDAY + 100 * MINUTE)
    assert isinstance(again, SlaCorrected)
    assert (again.new, again.at, again.withdrawn) == (Outcome.BREACHED, THURSDAY + 100 * MINUTE, False)


def test_L10_facts_heard_long_after_say_the_same_as_if_heard_in_time() -> None:
    """A service that was down for a day catches up without a timer having fired."""
    story = Story(one_policy({"first_response": "1h"}, schedule="always"))
    now = THURSDAY + 30 * HOUR
    story.open(THURSDAY, routed=True)
    decided, *_ = story.answer(THURSDAY + 2 * HOUR, now=now)
    assert isinstance(decided, SlaDecided)
    assert (decided.outcome, decided.at) == (Outcome.BREACHED, THURSDAY + HOUR)
    assert story.wait_until(now) == []


def test_decided_clocks_leave_the_targets_with_the_next_ones(story: Story) -> None:
    story.answer(THURSDAY + MINUTE)
    assert [(t.metric, t.state) for t in story.last_targets().targets] == [
        (Metric.FIRST_RESPONSE, TargetState.MET),
        (Metric.RESOLUTION, TargetState.NONE),
    ]
    story.change(THURSDAY + 2 * MINUTE, tier="vip")
    assert story.first_response.outcome is Outcome.MET
