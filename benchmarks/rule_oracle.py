"""The rule engine against the plain evaluator on random rule files: the long run behind the claim "0 differences".

python -m benchmarks.rule_oracle --files 1000 --tickets 100 --seed 1
"""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import Annotated

import typer

from benchmarks import random_rules
from services.router.decision import Decision
from services.router.engine import RuleEngine
from services.router.rules import RoutingRules


@dataclass(slots=True)
class Tally:
    """What was compared. `differences` counts tickets whose decisions were not the same in every part."""

    files: int = 0
    rules: int = 0
    tickets: int = 0
    firings: int = 0
    differences: int = 0
    by_reference: int = 0
    seconds: float = 0.0


def compare(files: int, tickets: int, seed: int) -> tuple[Tally, list[tuple[int, Decision, Decision]]]:
    """Decide `tickets` random tickets by each of `files` random rule files, both ways. Returns differences by file."""
    tally, different = Tally(), []
    started = time.perf_counter()
    for at in range(files):
        random = Random(f"{seed}/{at}")
        rules = RoutingRules.model_validate(random_rules.routing(random, random.choice((1, 5, 20, 40, 90))))
        engine = RuleEngine(rules)
        for real, wanted in _decisions(engine, random, tickets):
            tally.tickets += 1
            tally.firings += len(wanted.triage.matched) + len(wanted.assignment.matched)
            tally.by_reference += real.by_reference
            if replace(real, by_reference=True) != wanted:
                tally.differences += 1
                different.append((at, real, wanted))
        engine.close()
        tally.files += 1
        tally.rules += len(rules.triage) + len(rules.assignment)
    tally.seconds = round(time.perf_counter() - started, 1)
    return tally, different


def _decisions(engine: RuleEngine, random: Random, tickets: int) -> Iterator[tuple[Decision, Decision]]:
    for _ in range(tickets):
        facts, context = random_rules.ticket(random), random_rules.context(random)
        kept = frozenset(name for name in ("priority", "queue") if random.random() < 0.1)
        yield engine.decide(facts, context, kept), engine.decide_by_reference(facts, context, kept)


def _traces(decision: Decision) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return decision.triage.matched, decision.assignment.matched


def main(
    files: Annotated[int, typer.Option(help="Random rule files.")] = 1_000,
    tickets: Annotated[int, typer.Option(help="Random tickets for each file.")] = 100,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 1,
) -> None:
    """Compare, print the tally as JSON, exit 1 on a difference."""
    tally, different = compare(files, tickets, seed)
    print(json.dumps(asdict(tally)))
    for at, real, wanted in different[:3]:
        print(f"file {at}: engine {_traces(real)} reference {_traces(wanted)}")
    raise typer.Exit(1 if different or tally.by_reference else 0)


if __name__ == "__main__":
    typer.run(main)
