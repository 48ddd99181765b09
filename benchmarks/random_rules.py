"""Random routing rules and tickets from small pools of values, so that they often meet; odd values on purpose."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from libs.conditions.fields import FIELDS, OPERATORS, ORDER, PRIORITIES, PRIORITY_ALIASES, Field, Kind, field_named
from libs.conditions.reading import Context

NOW = datetime(2026, 3, 4, 21, 30, tzinfo=UTC)

KEYS = (
    "billing",
    "sales",
    "bücher",
    "open",
    "pending",
    "1",
    "true",
    "a'b\"c\\d",
    "nul\x00tab\t",
    "日本",
    "😀",
    "x" * 256,
)
WORDS = ("refund", "invoice", "money back", "straße", "ﬁne", "返金", "c++", "login", "हिन्दी", "1")
PATTERNS = (r"\bref", r"^re:", r"(?-i)Login", r"\d{3,}", r"money.*back", r"$")
NUMBERS = (-1, 0, 1, 2, 5, 9, 17, 22, 2**53, -(2**53))
SPANS = ("-24h", "+4h", "-7d", "-30s")
CUSTOM = (0, 1, 1.5, -2.25, True, False, "1", "true", "billing", "v2.1 beta")
NAMES = (*FIELDS, "custom.order", "custom.product_version")

_Many = Callable[[Random], Any]


def routing(random: Random, rules: int) -> dict[str, Any]:
    """A routing configuration of about so many rules as plain data."""
    triage = random.randint(0, rules)
    return {
        "triage": [_rule(random, f"t{at}", _triage_then) for at in range(triage)],
        "assignment": [_rule(random, f"a{at}", _assignment_then) for at in range(rules - triage)],
        "fallback": {"queue": "general", "add_tags": ["unrouted"]},
    }


def ticket(random: Random) -> dict[str, Any]:
    """The fields of one ticket: about a third of them unset."""
    facts = {name: _fact(random, _field(name)) for name in NAMES if random.random() < 0.65}
    return {name: value for name, value in facts.items() if value is not None or random.random() < 0.5}


def context(random: Random) -> Context:
    """A moment of the week, in or out of hours."""
    return Context(now=NOW + timedelta(hours=random.randint(0, 200)), business_hours=random.choice((True, False, None)))


def condition(random: Random, depth: int = 3) -> dict[str, Any]:
    """A condition nested at most so deep; now and then a very wide one."""
    if depth == 0 or random.random() < 0.45:
        return _leaf(random)
    shape = random.random()
    if shape < 0.2:
        return {"not": condition(random, depth - 1)}
    width = random.choice((1, 2, 2, 3, 3, 4, 12))
    return {"all" if shape < 0.6 else "any": [condition(random, depth - 1) for _ in range(width)]}


def _field(name: str) -> Field:
    field = field_named(name)
    assert field is not None
    return field


def _rule(random: Random, rule_id: str, then: _Many) -> dict[str, Any]:
    rule = {
        "id": rule_id,
        "salience": random.choice((0, 0, 10, -10, random.randint(-10_000, 10_000))),
        "enabled": random.random() < 0.95,
        "stop": random.random() < 0.03,
        "then": then(random),
    }
    return rule | ({"when": condition(random)} if random.random() < 0.97 else {})


def _triage_then(random: Random) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "category": random.choice(KEYS[:4]),
        "priority": random.choice((*PRIORITIES, *PRIORITY_ALIASES)),
        "custom": {"order": random.choice(CUSTOM)},
        "add_tags": random.sample(KEYS[:5], 2),
    }
    return {key: settings[key] for key in random.sample(sorted(settings), random.randint(1, 3))}


def _assignment_then(random: Random) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "queue": random.choice(KEYS[:4]),
        "required_skills": ["german"],
        "optional_skills": [{"skills": ["billing"], "drop_after": "15m"}],
        "pinned_agent": "ada",
        "strategy": random.choice(("round_robin", "balanced")),
        "defer": random.random() < 0.5,
        "add_tags": random.sample(KEYS[:5], 2),
    }
    return {key: settings[key] for key in random.sample(sorted(settings), random.randint(1, 3))}


def _leaf(random: Random) -> dict[str, Any]:
    field = _field(random.choice(NAMES))
    operator = random.choice(OPERATORS[field.kind])
    if operator in ("is_set", "is_unset"):
        return {"field": field.name, "operator": operator}
    if operator in ("in", "not_in", "has_any", "has_none") or (operator == "word" and random.random() < 0.3):
        value: Any = [_literal(random, field, operator) for _ in range(random.choice((1, 2, 5)))]
    else:
        value = _literal(random, field, operator)
    return {"field": field.name, "operator": operator, "value": value}


def _literal(random: Random, field: Field, operator: str) -> Any:
    match operator:
        case "word" | "contains":
            return random.choice(WORDS)
        case "matches":
            return random.choice(PATTERNS)
        case "within":
            return random.choice(SPANS)
    match field.kind:
        case Kind.NUMBER:
            return random.choice(NUMBERS)
        case Kind.FLAG:
            return random.random() < 0.5
        case Kind.TIME:
            return random.choice((*SPANS, "now", "2026-03-04T12:00:00Z"))
        case Kind.CUSTOM:
            return random.choice((0, 1, 1.5) if operator in ORDER else CUSTOM)
    return random.choice(field.choices or KEYS)


def _fact(random: Random, field: Field) -> Any:
    match field.kind:
        case Kind.TEXT:
            return _text(random)
        case Kind.SET:
            return random.sample((*KEYS, "\ud800", "other"), random.randint(0, 4))
        case Kind.TIME:
            return NOW + timedelta(hours=random.choice((-200, -25, -24, -1, 0, 3, 5, 300)))
        case Kind.NUMBER:
            return random.choice((*NUMBERS, 3, 2**53 + 1, 2**64, -(10**30)))
        case Kind.FLAG:
            return random.random() < 0.5
        case Kind.PRIORITY:
            return random.choice((*PRIORITIES, *PRIORITY_ALIASES, "blocker", ""))
        case Kind.CUSTOM:
            return random.choice((*CUSTOM, float("nan"), float("inf"), 10**400, 2**53 + 1, "\udfff"))
    return random.choice((*field.choices, *KEYS, "", "x" * 257, "x" * 70_000, "billing\ud800", "?"))


def _text(random: Random) -> str:
    between = ("", " ", " ", ", ", "s ", "\n", "\u00ad", "\ud83d ", " 12345 ", "RE: ", "する")
    text = "".join(random.choice((*WORDS, "hello")) + random.choice(between) for _ in range(random.randint(0, 12)))
    return text.upper() if random.random() < 0.3 else text
