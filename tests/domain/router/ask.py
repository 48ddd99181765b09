"""Rules and questions as these tests write them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from libs.conditions.reading import Context
from services.router.engine import RuleEngine
from services.router.rules import RoutingRules

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday
CONTEXT = Context(now=NOW)


def leaf(field: str, operator: str, value: object = None) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def word(text: str) -> dict[str, Any]:
    return leaf("subject", "word", text)


def rule(rule_id: str, when: dict[str, Any] | None = None, /, salience: int = 0, **more: Any) -> dict[str, Any]:
    """An assignment rule unless `then` says otherwise; it tags the ticket with its own id."""
    return {"id": rule_id, "salience": salience, "when": when, "then": {"add_tags": [rule_id]}} | more


def routing(triage: Sequence[Any] = (), assignment: Sequence[Any] = ()) -> RoutingRules:
    data = {"triage": list(triage), "assignment": list(assignment), "fallback": {"queue": "general"}}
    return RoutingRules.model_validate(data)


def fired(rules: Sequence[Any], context: Context = CONTEXT, /, **facts: object) -> list[str]:
    """The rules that fire, by the real engine; the plain evaluator must say the same."""
    engine = RuleEngine(routing(assignment=rules))
    decision, wanted = engine.decide(facts, context), engine.decide_by_reference(facts, context)
    engine.close()
    assert not decision.by_reference, engine.assignment.health.last_error
    assert decision.assignment == wanted.assignment
    return list(decision.fired)
