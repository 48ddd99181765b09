"""Why a ticket is where it is: compact as it is stored with every decision, readable as it is asked for (R-11)."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic_core import to_json

from services.router.assignment.planning import Plan
from services.router.assignment.reasons import WORDS
from services.router.assignment.ruling import Ruling
from services.router.decision import MOST_REMEMBERED, Decision, StageTrace

Compact = dict[str, Any]

ENGINE, REFERENCE = "durable_rules", "reference"


def stored(trigger: str, ruling: Ruling | None, plan: Plan) -> str:
    """The JSON that is stored: only what is not empty, agents grouped by reason code."""
    found: Compact = {}
    if plan.rejected:
        found["rejected"] = plan.rejected
    if plan.needs:
        found["needs"] = plan.needs
    if plan.strategy:
        found["strategy"] = plan.strategy
    why = _ruled(trigger, None, False) if ruling is None else _ruled(trigger, ruling.decision, ruling.in_hours)
    return f"{why[:-1]},{to_json(found).decode()[1:]}" if found else why


@lru_cache(MOST_REMEMBERED)
def _ruled(trigger: str, decision: Decision | None, in_hours: bool) -> str:
    found: Compact = {"trigger": trigger}
    if decision is not None:
        found["rules"] = _rules(decision)
        found["in_hours"] = in_hours
    return to_json(found).decode()


def _rules(decision: Decision) -> Compact:
    found: Compact = {
        "version": decision.version,
        "triage": _fired(decision.triage),
        "assignment": _fired(decision.assignment),
        "set": {key: [_plain(value), decision.set_by[key]] for key, value in decision.set.items()},
    }
    if decision.overridden:
        found["overridden"] = [[one.rule, one.key, one.by] for one in decision.overridden]
    if decision.tags:
        found["tags"] = decision.tags
    if decision.by_reference:
        found["engine"] = REFERENCE
    return found


def _fired(stage: StageTrace) -> Sequence[str]:
    return [*stage.fired, "(stop)"] if stage.stopped_by else stage.fired


def _plain(value: object) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, str | int | float | bool) else value.model_dump() if value is not None else None  # type: ignore[attr-defined]


def readable(stored: Mapping[str, Any], chosen: str | None, reason: str) -> Compact:
    """What a person reads: fired rules by stage, what each set, every candidate with code and words."""
    rules: Mapping[str, Any] = stored.get("rules", {})
    return {
        "trigger": stored["trigger"],
        "reason": reason,
        "explanation": WORDS.get(reason, reason),
        "engine": rules.get("engine", ENGINE) if rules else None,
        "rules_version": rules.get("version"),
        "business_hours": stored.get("in_hours"),
        "fired": [*_named(rules, "triage"), *_named(rules, "assignment")],
        "set": {key: {"value": value, "by": rule} for key, (value, rule) in rules.get("set", {}).items()},
        "overridden": [{"rule": rule, "key": key, "by": by} for rule, key, by in rules.get("overridden", ())],
        "tags": rules.get("tags", []),
        "strategy": stored.get("strategy"),
        "needed_skills": stored.get("needs", []),
        "candidates": _candidates(stored.get("rejected", {}), chosen),
    }


def _named(rules: Mapping[str, Any], stage: str) -> list[dict[str, Any]]:
    fired: Sequence[str] = rules.get(stage, ())
    stopped = bool(fired) and fired[-1] == "(stop)"
    names = fired[:-1] if stopped else fired
    return [{"rule": rule, "stage": stage, "stopped": stopped and rule == names[-1]} for rule in names]


def _candidates(rejected: Mapping[str, Sequence[str]], chosen: str | None) -> list[dict[str, Any]]:
    found = [] if chosen is None else [{"agent": chosen, "chosen": True, "code": "chosen", "explanation": "was chosen"}]
    for code, agents in rejected.items():
        found += [{"agent": one, "chosen": False, "code": code, "explanation": WORDS.get(code, code)} for one in agents]
    return found
