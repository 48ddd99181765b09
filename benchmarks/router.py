"""What a routing decision costs: the rule engine and the plain evaluator, side by side on the same tickets.

    python -m benchmarks.router --tickets 5000

Prints one JSON document; `cpu_us` is process CPU time per decision in microseconds, on one core.
"""

import json
import platform
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Annotated, Any

import typer

from benchmarks import random_rules
from libs.conditions.reading import Context, Facts
from services.router.decision import Decision
from services.router.engine import RuleEngine
from services.router.rules import RoutingRules

SIZES = (1, 20, 100, 300, 1_000)
TIERS = ("free", "pro", "vip", "enterprise")
LANGUAGES = ("en", "de", "fr", "ja", "es")
CONTEXT = Context(now=random_rules.NOW, business_hours=True)

Decide = Callable[[Facts, Context], Decision]


def main(
    tickets: Annotated[int, typer.Option(help="Tickets for each number of rules.")] = 5_000,
    rounds: Annotated[int, typer.Option(help="The best of so many rounds counts.")] = 3,
) -> None:
    """Measure every size and print the figures."""
    rows = [_measured(size, tickets, rounds) for size in SIZES]
    print(json.dumps({"python": platform.python_version(), "tickets": tickets, "rows": rows}, indent=1))


def _measured(size: int, tickets: int, rounds: int) -> dict[str, Any]:
    random = Random(size)
    started = time.process_time()
    engine = RuleEngine(RoutingRules.model_validate(_rules(random, size)))
    compiled = time.process_time() - started
    facts = [_ticket(random, size) for _ in range(tickets)]
    fired = sum(len(engine.decide(one, CONTEXT).fired) for one in facts) / tickets
    row = {
        "rules": size,
        "fired": round(fired, 2),
        "cpu_us": _cost(engine.decide, facts, rounds),
        "reference_cpu_us": _cost(engine.decide_by_reference, facts, rounds),
        "compile_ms": round(compiled * 1e3, 1),
        **_tail(engine.decide, facts),
    }
    engine.close()
    return row


def _cost(decide: Decide, facts: Sequence[Facts], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        for one in facts:
            decide(one, CONTEXT)
        best = min(best, time.process_time() - started)
    return round(best / len(facts) * 1e6, 1)


def _tail(decide: Decide, facts: Sequence[Facts]) -> dict[str, float]:
    taken = []
    for one in facts:
        started = time.perf_counter()
        decide(one, CONTEXT)
        taken.append(time.perf_counter() - started)
    taken.sort()
    return {f"p{share}_us": round(taken[len(taken) * share // 100] * 1e6, 1) for share in (50, 99)}


def _rules(random: Random, size: int) -> dict[str, Any]:
    rules = [_rule(random, at, size) for at in range(size)]
    half = size // 2
    triage = [rule | {"then": {"add_tags": [f"tag{at % 9}"]}} for at, rule in enumerate(rules[:half])]
    return {"triage": triage, "assignment": rules[half:], "fallback": {"queue": "general"}}


def _rule(random: Random, at: int, size: int) -> dict[str, Any]:
    about = {"field": "category", "operator": "is", "value": f"category{random.randrange(size)}"}
    told = {"field": "subject", "operator": "word", "value": [f"word{random.randrange(size * 2)}" for _ in range(3)]}
    who = {"field": "tier", "operator": "is", "value": random.choice(TIERS)}
    when = {"field": "hour", "operator": "at_least", "value": random.randrange(24)}
    spoken = {"field": "language", "operator": "in", "value": random.sample(LANGUAGES, 2)}
    shapes = [about, told, {"all": [who, when, about]}, {"all": [told, {"not": spoken}]}, {"any": [told, about]}]
    return {
        "id": f"rule{at}",
        "salience": random.randrange(100),
        "when": shapes[at % len(shapes)],
        "then": {"queue": f"queue{at % 7}"},
    }


def _ticket(random: Random, size: int) -> dict[str, Any]:
    return {
        "subject": " ".join(f"word{random.randrange(size * 2)}" for _ in range(8)),
        "category": f"category{random.randrange(size)}",
        "tier": random.choice(TIERS),
        "language": random.choice(LANGUAGES),
        "hour": random.randrange(24),
        "channel": "email",
        "tags": ["new"],
    }


if __name__ == "__main__":
    typer.run(main)
