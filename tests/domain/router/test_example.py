"""The example that ships: what its rules do with tickets as they come."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from libs.conditions.reading import Context
from services.router.engine import RuleEngine
from services.router.rule_file import load_rules

CONFIG = Path(__file__).parents[3] / "config"
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def engine() -> RuleEngine:
    return RuleEngine(load_rules(CONFIG))


TICKETS = [
    # subject, more facts, category, priority, queue
    ("Where is my refund?", {}, "billing", "medium", "billing"),
    ("Ich möchte mein Geld zurück", {}, "billing", "medium", "billing"),
    ("返金してください", {}, "billing", "medium", "billing"),
    ("Rechnung 2026-114", {"tier": "vip"}, "billing", "high", "billing"),
    ("Mon colis n'est pas arrivé", {}, "shipping", "medium", "general"),
    ("Cannot log in", {}, "technical", "medium", "technical"),
    ("ログインできない", {}, "technical", "medium", "technical"),
    ("Everything is DOWN", {}, "technical", "high", "technical"),
    ("Site down", {"tier": "enterprise"}, "technical", "critical", "technical"),
    ("App crashes on start", {"priority": "low"}, "technical", None, "technical"),
    ("ORD-1234 error on save", {}, "technical", "medium", "technical"),
    ("Price for 50 seats", {}, "sales", "medium", "sales"),
    ("Hello", {}, None, "medium", "general"),
    ("Downtown shop opening hours", {}, None, "medium", "general"),
    ("anybody there?", {"customer_messages": 5, "human_replies": 0}, None, "high", "general"),
]


@pytest.mark.parametrize(("subject", "facts", "category", "priority", "queue"), TICKETS, ids=lambda one: str(one)[:20])
def test_tickets_in_business_hours(
    engine: RuleEngine, subject: str, facts: dict[str, object], category: str | None, priority: str | None, queue: str
) -> None:
    decision = engine.decide({"subject": subject, **facts}, Context(now=NOON, business_hours=True))
    assert decision.set.get("category") == category
    assert decision.set.get("priority") == priority
    assert decision.route.queue == queue
    assert not decision.route.defer
    assert not decision.by_reference


def test_T1_at_night_a_ticket_waits_for_the_morning_unless_it_burns(engine: RuleEngine) -> None:
    night = Context(now=NOON, business_hours=False)
    calm = engine.decide({"subject": "invoice"}, night)
    assert calm.route.defer
    assert calm.route.queue == "billing"
    assert "after-hours" in calm.tags
    burning = engine.decide({"subject": "urgent: shop down", "tier": "vip"}, night)
    assert not burning.route.defer
    assert burning.route.queue == "technical"
    assert "on-call" in burning.tags
    assert burning.assignment.stopped_by == "critical-at-night"


def test_R5_language_is_a_wish_that_is_dropped(engine: RuleEngine) -> None:
    decision = engine.decide({"subject": "Rechnung", "language": "de-AT"}, Context(now=NOON, business_hours=True))
    assert decision.route.required_skills == ("billing",)
    assert [(tier.skills, tier.drop_after) for tier in decision.route.optional_skills] == [(("german",), 1800)]


def test_feedback_is_tagged_apart(engine: RuleEngine) -> None:
    decision = engine.decide({"subject": "Feature request: dark mode, thank you"}, Context(now=NOON))
    assert decision.tags[:2] == ("feedback/feature", "feedback/praise")


def test_R0_what_nobody_foresaw_has_a_queue(engine: RuleEngine) -> None:
    decision = engine.decide({}, Context(now=NOON))
    assert decision.fallback
    assert decision.route.queue == "general"
    assert "unrouted" in decision.tags
