"""What follows from a decision for one ticket, in the terms of assignment; worked out once for a decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any

from libs.contracts.routing import RoutedFields
from services.router.assignment.ticket import Requirements, Wish
from services.router.decision import MOST_REMEMBERED, Decision
from services.router.rules import SkillTier

CUSTOM = "custom."


@dataclass(frozen=True, slots=True)
class Ruling:
    """The rules' outcome for one ticket: its queue, who may have it, whether it waits for the opening, its fields."""

    decision: Decision
    queue: str
    requirements: Requirements
    deferred: bool
    fields: RoutedFields
    in_hours: bool


class Rulings:
    """The rulings of one configuration. `queue_of_rule`: where each rule that names a queue sends its tickets."""

    def __init__(self, queue_of_rule: Mapping[str, str]) -> None:
        self.of = lru_cache(MOST_REMEMBERED)(partial(_ruling, queue_of_rule))
        """The ruling of a decision, the queue it comes to, and whether that queue is open."""


def _ruling(queue_of_rule: Mapping[str, str], decision: Decision, queue: str, in_hours: bool) -> Ruling:
    return Ruling(
        decision=decision,
        queue=queue,
        requirements=_requirements(queue_of_rule, decision, queue),
        deferred=bool(decision.set.get("defer")),
        fields=_fields(decision),
        in_hours=in_hours,
    )


def _requirements(queue_of_rule: Mapping[str, str], decision: Decision, queue: str) -> Requirements:
    """Whom the ticket needs, without what was asked by rules that meant another queue: a person chose this one."""
    values: dict[str, Any] = {
        key: value for key, value in decision.set.items() if queue_of_rule.get(decision.set_by[key], queue) == queue
    }
    tiers: tuple[SkillTier, ...] = values.get("optional_skills", ())
    return Requirements(
        required=values.get("required_skills", ()),
        wishes=tuple(Wish(tier.skills, timedelta(seconds=tier.drop_after)) for tier in tiers),
        pinned=values.get("pinned_agent"),
        strategy=values.get("strategy"),
    )


def _fields(decision: Decision) -> RoutedFields:
    found: dict[str, Any] = decision.triage.set  # type: ignore[assignment]
    return RoutedFields(
        category=found.get("category"),
        priority=found.get("priority"),
        add_tags=decision.tags,
        custom={key.removeprefix(CUSTOM): value for key, value in found.items() if key.startswith(CUSTOM)},
    )
