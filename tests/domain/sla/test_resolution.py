"""Resolution: pauses, resolving, reopening, changed promises (behaviour L-3, L-4, L-8, L-9)."""

from datetime import timedelta

import pytest

from libs.contracts.sla import Metric, Outcome, SlaDecided, TargetState
from libs.contracts.ticket import (
    MergeSource,
    TicketAbsorbed,
    TicketMerged,
    TicketRemoved,
    TicketRestored,
    TicketSeparated,
    TicketUnmerged,
)
from services.sla.domain.clock import state_of
from services.sla.rules import read_rules
from tests.domain.sla.story import THURSDAY, TODAY, Story, files, one_policy

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def told(**more: object) -> Story:
    """A routed ticket with eight hours of any time to be resolved in."""
    story = Story(one_policy({"first_response": "1h", "resolution": "8h"}, schedule="always", **more))
    story.open(THURSDAY, routed=True, priority="high")
    return story


def test_L8_the_time_spent_resolved_does_not_count() -> None:
    story = told(reopen={"mode": "resume"})
    story.status(THURSDAY + 3 * HOUR, "resolved")
    story.status(THURSDAY + 50 * HOUR, "open")
    assert story.clock(Metric.RESOLUTION, 2).deadline == THURSDAY + 55 * HOUR


@pytest.mark.parametrize(
    ("mode", "resolved_after", "left"),
    [("resume", 7, 1), ("restart", 7, 8), ("grace", 7, 2), ("grace", 3, 5)],
)
def test_L8_a_reopened_ticket_gets_what_the_policy_leaves_it(mode: str, resolved_after: int, left: int) -> None:
    story = told(reopen={"mode": mode})
    story.status(THURSDAY + resolved_after * HOUR, "resolved")
    story.status(THURSDAY + 20 * HOUR, "open")
    assert story.clock(Metric.RESOLUTION, 2).deadline == THURSDAY + (20 + left) * HOUR
    assert story.resolution.outcome is Outcome.MET


def test_L8_a_breached_resolution_has_no_second_chance() -> None:
    story = told()
    story.wait_until(THURSDAY + 9 * HOUR)
    story.status(THURSDAY + 10 * HOUR, "resolved")
    story.status(THURSDAY + 11 * HOUR, "open")
    assert [clock.instance for clock in story.told.clocks if clock.metric is Metric.RESOLUTION] == [1]
    assert [event.outcome for event in story.all_said(SlaDecided) if event.metric is Metric.RESOLUTION] == [
        Outcome.BREACHED
    ]


def test_S1_resolved_to_closed_changes_nothing() -> None:
    story = told()
    story.status(THURSDAY + HOUR, "resolved")
    assert story.status(THURSDAY + 70 * HOUR, "closed") == []


def test_a_ticket_opened_as_resolved_was_resolved_at_once() -> None:
    story = Story(one_policy({"resolution": "8h"}))
    decided, _ = story.open(THURSDAY, "resolved", routed=True)
    assert isinstance(decided, SlaDecided)
    assert (decided.outcome, decided.running_seconds) == (Outcome.MET, 0)


def test_L9_two_pauses_in_the_same_minute_both_count() -> None:
    story = told()
    for second in (10, 30):
        story.status(THURSDAY + timedelta(seconds=second), "pending")
        story.status(THURSDAY + timedelta(seconds=second + 5), "open")
    assert story.resolution.deadline == THURSDAY + 8 * HOUR + timedelta(seconds=10)


def test_L9_a_pause_of_no_length_shifts_nothing() -> None:
    story = told()
    story.status(THURSDAY + HOUR, "pending")
    story.status(THURSDAY + HOUR, "open")
    assert story.resolution.deadline == THURSDAY + 8 * HOUR


def test_L4_a_new_priority_is_measured_from_the_same_start_and_keeps_the_pauses() -> None:
    """Pause time that a change of priority forgets is a known fault of other systems."""
    targets = {"high": {"resolution": "8h"}, "low": {"resolution": "48h"}}
    story = Story(one_policy(targets, schedule="always"))
    story.open(THURSDAY, routed=True, priority="low")
    story.status(THURSDAY + HOUR, "pending")
    story.status(THURSDAY + 3 * HOUR, "open")
    story.change(THURSDAY + 4 * HOUR, priority="high")
    assert story.resolution.deadline == THURSDAY + 10 * HOUR


def test_L4_a_breach_stays_when_the_promise_becomes_easier() -> None:
    targets = {"high": {"resolution": "8h"}, "low": {"resolution": "48h"}}
    story = Story(one_policy(targets, schedule="always"))
    story.open(THURSDAY, routed=True, priority="high")
    story.wait_until(THURSDAY + 8 * HOUR)
    story.change(THURSDAY + 9 * HOUR, priority="low")
    assert story.resolution.outcome is Outcome.BREACHED
    assert [event.priority for event in story.all_said(SlaDecided)] == ["high"]


def test_L4_a_policy_on_other_hours_keeps_what_ran_on_the_old_ones() -> None:
    story = Story()
    story.open(THURSDAY, routed=True, priority="high")
    story.change(THURSDAY + 20 * HOUR, tier="vip")
    ran_in_the_office = 5 * HOUR
    assert story.resolution.deadline == THURSDAY + 20 * HOUR + 8 * HOUR - ran_in_the_office


def test_L3_without_a_policy_clocks_are_cancelled_never_breached_and_come_back_with_what_they_ran() -> None:
    written = files()
    written["sla.yaml"]["policies"] = written["sla.yaml"]["policies"][:1]
    story = Story(read_rules(written, TODAY))
    story.open(THURSDAY, routed=True, priority="high", tier="vip")
    story.change(THURSDAY + 10 * MINUTE, tier=None)
    assert {target.state for target in story.last_targets().targets} == {TargetState.CANCELLED}
    assert story.wait_until(THURSDAY + 100 * HOUR) == []
    story.change(THURSDAY + 100 * HOUR, tier="vip")
    assert story.resolution.outcome is Outcome.BREACHED
    assert story.all_said(SlaDecided)[-1].breached_on_change


def test_11_a_ticket_that_nothing_is_promised_says_so() -> None:
    written = files()
    written["sla.yaml"]["policies"] = written["sla.yaml"]["policies"][:1]
    story = Story(read_rules(written, TODAY))
    story.open(THURSDAY)
    story.change(THURSDAY + timedelta(seconds=2), routed=True)
    said = story.last_targets()
    assert (said.policy, said.final, {target.state for target in said.targets}) == (None, True, {TargetState.NONE})


def test_L13_a_merged_tickets_clocks_are_cancelled_and_an_unmerge_resumes_them() -> None:
    story = told()
    story.hear(THURSDAY + HOUR / 2, TicketMerged(target="t2"))
    assert {target.state for target in story.last_targets().targets} == {TargetState.CANCELLED}
    assert story.wait_until(THURSDAY + 20 * HOUR) == []
    story.hear(THURSDAY + 20 * HOUR, TicketUnmerged(target="t2"))
    assert story.first_response.deadline == THURSDAY + 20 * HOUR + HOUR / 2
    assert story.resolution.deadline == THURSDAY + 20 * HOUR + 7.5 * HOUR


def test_L13_the_closing_of_a_merged_ticket_resolves_nothing() -> None:
    story = told()
    story.hear(THURSDAY + HOUR / 2, TicketMerged(target="t2"))
    story.status(THURSDAY + HOUR / 2, "closed")
    assert story.all_said(SlaDecided) == []
    story.hear(THURSDAY + HOUR, TicketUnmerged(target="t2"), status="open", clocks={}, status_category="open")
    assert story.resolution.deadline == THURSDAY + 8.5 * HOUR


def test_L14_a_restored_tickets_clocks_start_anew() -> None:
    story = told()
    story.hear(THURSDAY + HOUR / 2, TicketRemoved(reason="spam"), spam=True)
    assert story.wait_until(THURSDAY + 20 * HOUR) == []
    story.hear(THURSDAY + 20 * HOUR, TicketRestored(reason="no spam"), spam=False)
    assert story.first_response.deadline == THURSDAY + 21 * HOUR
    assert story.resolution.deadline == THURSDAY + 28 * HOUR


def test_L13_merging_hides_no_wait() -> None:
    story = told()
    older = MergeSource(id="t0", created_at=THURSDAY - 40 * MINUTE)
    story.hear(THURSDAY + 5 * MINUTE, TicketAbsorbed(sources=(older,)))
    assert story.first_response.deadline == THURSDAY + 20 * MINUTE
    assert story.resolution.deadline == THURSDAY + 8 * HOUR
    story.hear(THURSDAY + 6 * MINUTE, TicketSeparated(sources=(older,)))
    assert story.first_response.deadline == THURSDAY + HOUR


def test_L13_a_wait_that_is_over_already_is_breached_at_the_merge() -> None:
    story = told()
    older = MergeSource(id="t0", created_at=THURSDAY - 2 * HOUR)
    decided, *_ = story.hear(THURSDAY + 5 * MINUTE, TicketAbsorbed(sources=(older,)))
    assert isinstance(decided, SlaDecided)
    assert (decided.at, decided.breached_on_change) == (THURSDAY + 5 * MINUTE, True)


def test_a_target_in_calendar_time_runs_through_the_night() -> None:
    story = Story(one_policy({"first_response": "4h", "resolution": {"time": "24h", "mode": "calendar"}}))
    story.open(THURSDAY + 4 * HOUR)
    assert story.resolution.deadline == THURSDAY + 28 * HOUR
    assert story.first_response.deadline == THURSDAY + timedelta(days=1)
    assert state_of(story.first_response, story.told) is TargetState.RUNNING
