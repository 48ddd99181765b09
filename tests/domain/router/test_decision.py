"""How rules that fire become a decision (decisions 7 and 29, behaviour R-0)."""

from typing import Any

import pytest

from libs.conditions.reading import FactError
from services.router.decision import Decision, Overridden, Route
from services.router.engine import RuleEngine
from services.router.rules import SkillTier
from tests.domain.router.ask import CONTEXT, fired, leaf, routing, rule, word


def decide(
    triage: list[Any] | None = None,
    assignment: list[Any] | None = None,
    kept: frozenset[str] = frozenset(),
    /,
    **facts: object,
) -> Decision:
    engine = RuleEngine(routing(triage or [], assignment or []), version="7")
    decision = engine.decide(facts, CONTEXT, kept)
    engine.close()
    return decision


def test_29_higher_salience_fires_first_and_the_file_breaks_ties() -> None:
    rules = [rule("b", salience=1), rule("a", salience=1), rule("low", salience=-5), rule("high", salience=10_000)]
    assert fired(rules) == ["high", "b", "a", "low"]


def test_29_the_first_rule_to_set_a_key_wins_and_tags_add_up() -> None:
    rules = [
        rule("second", then={"queue": "sales", "strategy": "balanced", "add_tags": ["x", "y"]}),
        rule("first", salience=5, then={"queue": "billing", "add_tags": ["y", "z"]}),
    ]
    decision = decide([], rules)
    assert decision.set == {"queue": "billing", "strategy": "balanced"}
    assert decision.set_by == {"queue": "first", "strategy": "second"}
    assert decision.overridden == (Overridden("second", "queue", "first"),)
    assert decision.tags == ("y", "z", "x")
    assert decision.fired == ("first", "second")
    assert decision.version == "7"


def test_29_stop_ends_its_own_stage_only() -> None:
    triage = [rule("t1", stop=True), rule("t2")]
    assignment = [rule("a1"), rule("a2", stop=True), rule("a3")]
    decision = decide(triage, assignment)
    assert decision.fired == ("t1", "a1", "a2")
    assert decision.triage.matched == ("t1", "t2")
    assert decision.triage.stopped_by == "t1"
    assert decision.assignment.stopped_by == "a2"
    assert decision.tags == ("t1", "a1", "a2")


def test_a_rule_that_is_switched_off_does_nothing() -> None:
    assert fired([rule("off", enabled=False), rule("on")]) == ["on"]


def test_the_assignment_stage_sees_what_triage_has_set() -> None:
    triage = [
        rule("cat", word("refund"), then={"category": "billing", "priority": "urgent", "custom": {"amount": 5}}),
        rule("tag", then={"add_tags": ["new"]}),
    ]
    assignment = [
        rule("category", leaf("category", "is", "billing")),
        rule("priority", leaf("priority", "at_least", "critical")),
        rule("custom", leaf("custom.amount", "greater_than", 4)),
        rule("both-tags", leaf("tags", "has_none", ["other"])),
        rule("old-tag", leaf("tags", "has", "old")),
        rule("new-tag", leaf("tags", "has", "new")),
        rule("text", word("refund")),
    ]
    decision = decide(triage, assignment, subject="refund", tags=["old"], custom={"amount": 1}, category="general")
    assert decision.assignment.fired == tuple(one["id"] for one in assignment)
    assert decision.set["priority"] == "critical"


def test_triage_rules_do_not_see_each_other() -> None:
    triage = [
        rule("first", salience=1, then={"category": "billing"}),
        rule("second", leaf("category", "is", "billing")),
    ]
    assert decide(triage).fired == ("first",)


def test_7_what_a_person_set_is_never_overwritten() -> None:
    triage = [rule("urgent", then={"priority": "critical", "category": "billing"})]
    assignment = [rule("hot", leaf("priority", "is", "critical")), rule("route", then={"queue": "billing"})]
    decision = decide(triage, assignment, frozenset({"priority", "queue"}), priority="low", queue="sales")
    assert decision.set == {"category": "billing"}
    assert decision.overridden == (Overridden("urgent", "priority", "person"), Overridden("route", "queue", "person"))
    assert "hot" not in decision.fired
    assert not decision.fallback


def test_R0_no_rule_names_a_queue_so_the_fallback_does() -> None:
    decision = decide([], [rule("tagged", then={"strategy": "balanced", "add_tags": ["x"]})])
    assert decision.fallback
    assert decision.set == {"strategy": "balanced", "queue": "general"}
    assert decision.set_by == {"strategy": "tagged", "queue": "fallback"}


def test_R0_a_rule_that_names_a_queue_needs_no_fallback() -> None:
    decision = decide([], [rule("r", then={"queue": "billing"})])
    assert not decision.fallback
    assert decision.set == {"queue": "billing"}


def test_the_route_is_typed() -> None:
    then = {
        "queue": "billing",
        "required_skills": ["billing"],
        "optional_skills": [{"skills": ["german"], "drop_after": "30m"}],
        "pinned_agent": "ada",
        "strategy": "balanced",
        "defer": True,
    }
    decision = decide([], [rule("r", then=then)])
    tiers = (SkillTier(skills=("german",), drop_after="30m"),)  # type: ignore[arg-type]
    assert decision.route == Route("billing", ("billing",), tiers, "ada", "balanced", True)
    assert decision.plain()["set"]["optional_skills"] == [{"skills": ["german"], "drop_after": 1800}]


def test_facts_of_a_wrong_type_are_refused_even_where_no_rule_gets_to_read_them() -> None:
    rules = [rule("r", {"all": [leaf("spam", "is", True), leaf("hour", "at_least", 5)]})]
    engine = RuleEngine(routing(assignment=rules))
    with pytest.raises(FactError, match="hour: must be a whole number, got str"):
        engine.decide({"spam": False, "hour": "9"}, CONTEXT)
    with pytest.raises(FactError, match="hour"):
        engine.decide_by_reference({"spam": False, "hour": "9"}, CONTEXT)
    assert engine.decide({"spam": True, "hour": 9, "unknown": object()}, CONTEXT).fired == ("r",)
    engine.close()


def test_R11_every_rule_says_what_kept_it_from_firing() -> None:
    triage = [rule("t", word("refund"), then={"category": "billing"})]
    assignment = [rule("a", {"all": [leaf("category", "is", "billing"), leaf("tier", "is", "vip")]}), rule("always")]
    engine = RuleEngine(routing(triage, assignment))
    told = engine.explain({"subject": "refund"}, CONTEXT)
    engine.close()
    assert {name: [str(one) for one in unmet] for name, unmet in told["triage"].items()} == {"t": []}
    assert {name: [str(one) for one in unmet] for name, unmet in told["assignment"].items()} == {
        "a": ["all[1]: tier is 'vip' - found nothing"],
        "always": [],
    }
