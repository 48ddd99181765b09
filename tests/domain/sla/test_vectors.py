"""The worked examples of business time, told through the clocks (V10 to V13) and the brief's table of targets."""

from datetime import UTC, datetime, timedelta

import pytest

from libs.contracts.sla import Outcome, SlaDecided, TargetsSet
from tests.domain.sla.story import Story, files, one_policy

EIGHT_HOURS = {"resolution": "8h"}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_V10_L9_a_pause_shifts_the_deadline_by_the_working_time_it_covers() -> None:
    story = Story(one_policy(EIGHT_HOURS))
    story.open(utc("2026-06-11T08:00"))
    story.status(utc("2026-06-11T12:00"), "pending")
    assert story.resolution.deadline is None
    story.status(utc("2026-06-15T09:00"), "open")
    assert story.resolution.deadline == utc("2026-06-15T13:00")


def test_V11_L9_a_pause_out_of_hours_shifts_nothing() -> None:
    story = Story(one_policy(EIGHT_HOURS))
    story.open(utc("2026-06-11T08:00"))
    story.status(utc("2026-06-11T16:00"), "pending")
    story.status(utc("2026-06-12T05:00"), "open")
    assert story.resolution.deadline == utc("2026-06-12T08:00")


def test_V12_W1_the_warning_is_due_when_80_percent_have_run() -> None:
    story = Story(one_policy({"first_response": "4h"}))
    story.open(utc("2026-06-11T13:00"))
    assert story.first_response.warn_at == utc("2026-06-12T08:12")
    assert story.first_response.deadline == utc("2026-06-12T09:00")


def test_V13_L4_a_target_that_has_run_out_already_is_breached_at_the_change_not_before() -> None:
    story = Story(one_policy({"low": {"first_response": "8h"}, "high": {"first_response": "1h"}}))
    story.open(utc("2026-06-11T07:00"), priority="low", routed=True)
    decided, *_ = story.change(utc("2026-06-11T10:00"), priority="high")
    assert isinstance(decided, SlaDecided)
    assert (decided.outcome, decided.at, decided.deadline) == (
        Outcome.BREACHED,
        utc("2026-06-11T10:00"),
        utc("2026-06-11T08:00"),
    )
    assert decided.cause == "policy_change"
    assert decided.breached_on_change
    assert decided.running_seconds == 3 * 3600


@pytest.mark.parametrize(
    ("priority", "first_response", "resolution"),
    [
        ("critical", timedelta(minutes=15), timedelta(hours=2)),
        ("high", timedelta(hours=1), timedelta(hours=8)),
        ("medium", timedelta(hours=4), timedelta(hours=24)),
        ("low", timedelta(hours=8), timedelta(hours=48)),
        (None, timedelta(hours=4), timedelta(hours=24)),
    ],
)
def test_the_example_configuration_promises_what_the_brief_says(
    priority: str | None, first_response: timedelta, resolution: timedelta
) -> None:
    story = Story()
    (said,) = story.open(utc("2026-06-11T08:00"), priority=priority, tier="vip", routed=True)
    assert isinstance(said, TargetsSet)
    assert [target.deadline for target in said.targets] == [
        utc("2026-06-11T08:00") + first_response,
        utc("2026-06-11T08:00") + resolution,
    ]
    assert (said.policy, said.schedule, said.final) == ("vip", "always", True)


def test_B6_the_schedule_is_the_policys_else_the_queues_else_the_default() -> None:
    story = Story()
    assert set(files()["worktime.yaml"]["schedules"]) >= {"office", "extended", "always"}
    story.rules = story.rules.with_queues({"technical": "extended"}, version=1)
    story.open(utc("2026-06-11T08:00"), queue="general", routed=True)
    assert story.last_targets().schedule == "office"
    story.change(utc("2026-06-11T08:01"), queue="technical")
    assert story.last_targets().schedule == "extended"
    story.change(utc("2026-06-11T08:02"), tier="vip")
    assert story.last_targets().schedule == "always"
