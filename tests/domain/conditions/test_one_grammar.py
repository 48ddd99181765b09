"""Rules and policies are written in one language (behaviour V-1)."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.router.rules import AssignmentRule, TriageRule
from services.sla.policy import Policy

HOLDS = {
    "all": [
        {"field": "tier", "operator": "in", "value": ["vip", "enterprise"]},
        {"not": {"field": "tags", "operator": "has", "value": "trial"}},
        {
            "any": [
                {"field": "priority", "operator": "at_least", "value": "high"},
                {"field": "queue", "operator": "is_unset"},
            ]
        },
    ]
}
WRONG = [
    {"field": "teir", "operator": "is", "value": "vip"},
    {"field": "tier", "operator": "resembles", "value": "vip"},
    {"field": "priority", "operator": "is", "value": "huge"},
    {"all": []},
]


def written(when: Any) -> list[Any]:
    """The same condition in each place that has one."""
    return [
        TriageRule.model_validate({"id": "one", "when": when, "then": {"category": "billing"}}).when,
        AssignmentRule.model_validate({"id": "one", "when": when, "then": {"queue": "billing"}}).when,
        Policy.model_validate({"key": "one", "when": when, "targets": {"high": {"resolution": "8h"}}}).when,
    ]


def test_V1_triage_assignment_and_policies_read_a_condition_alike() -> None:
    first, *others = written(HOLDS)
    assert others == [first, first]


@pytest.mark.parametrize("when", WRONG)
@pytest.mark.parametrize(
    ("model", "rest"),
    [
        (TriageRule, {"id": "one", "then": {"category": "billing"}}),
        (AssignmentRule, {"id": "one", "then": {"queue": "billing"}}),
        (Policy, {"key": "one", "targets": {"high": {"resolution": "8h"}}}),
    ],
)
def test_V1_what_one_place_refuses_they_all_refuse(model: type[BaseModel], rest: dict[str, Any], when: Any) -> None:
    with pytest.raises(ValidationError, match="when"):
        model.model_validate({"when": when, **rest})
