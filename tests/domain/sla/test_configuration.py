"""What sla.yaml and worktime.yaml may say; a refusal names file, field and reason."""

from collections.abc import Callable
from typing import Any

import pytest

from services.sla.rules import read_rules
from tests.domain.sla.story import THURSDAY, TODAY, Story, files

Spoil = Callable[[dict[str, Any]], object]


def policy(written: dict[str, Any], **changes: Any) -> None:
    written["sla.yaml"]["policies"][0].update(changes)


CLOSED = {"day": "2026-06-01", "until": "2028-12-31"}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda w: w.pop("sla.yaml"), "sla.yaml: the file is missing"),
        (lambda w: w.pop("worktime.yaml"), "worktime.yaml: the file is missing"),
        (lambda w: policy(w, targets={"high": {"first_response": "2d"}}), r"policies\[0\]\.targets\.high.*write hours"),
        (lambda w: policy(w, targets={"high": {"first_response": 15}}), "first_response.time: is not a time"),
        (lambda w: policy(w, targets={"urgent": {}}), "'urgent' is not one of the choices"),
        (lambda w: policy(w, schedule="nights"), "policies.0.schedule: there is no schedule nights in worktime.yaml"),
        (lambda w: policy(w, colour="red"), r"policies\[0\]\.colour: is not known here"),
        (lambda w: policy(w, when=None), "vip has no `when`, so the policies after it never apply"),
        (lambda w: policy(w, key="chat"), "the key chat is used twice"),
        (
            lambda w: policy(w, when={"field": "body", "operator": "word", "value": "x"}),
            "a policy cannot ask about body",
        ),
        (lambda w: w["sla.yaml"].update(warn_at=1), "warn_at"),
        (
            lambda w: w["worktime.yaml"]["schedules"]["office"]["holidays"].append(CLOSED),
            "worktime.yaml: schedules.office.holidays: no running time in the 400 days",
        ),
        (lambda w: w["worktime.yaml"]["schedules"]["office"].update(timezone="Mars"), "schedules.office.timezone"),
    ],
)
def test_a_wrong_file_is_refused_with_its_field_and_reason(spoil: Spoil, reason: str) -> None:
    """The schedule that never runs is behaviour B-4."""
    written = files()
    spoil(written)
    with pytest.raises(ValueError, match=reason):
        read_rules(written, TODAY)


def test_L2_the_first_policy_that_matches_applies() -> None:
    story = Story()
    story.open(THURSDAY, routed=True, tier="vip", channel="chat")
    assert story.last_targets().policy == "vip"
    story.change(THURSDAY, tier="free")
    assert story.last_targets().policy == "chat"


def test_L15_only_what_moves_deadlines_changes_the_basis() -> None:
    rules = read_rules(files(), TODAY)
    assert rules.with_queues({}, 1).basis == rules.with_queues({}, 2).basis
    assert rules.with_queues({}, 1).basis != rules.with_queues({"general": "always"}, 1).basis
    other = files()
    other["worktime.yaml"]["schedules"]["office"]["hours"].pop("fri")
    assert read_rules(other, TODAY).basis != rules.basis
