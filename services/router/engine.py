"""Decisions by the rule engine, with the plain evaluator behind it: a broken engine never stops the routing."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple

from libs.conditions.reading import Context, Facts, Reading
from libs.conditions.tree import leaves
from services.router.decision import MOST_REMEMBERED, Decision, StageTrace, concluded, merged
from services.router.network import EngineBroken, EngineRule, Network
from services.router.normal_form import alternatives
from services.router.projection import Projected, Projection
from services.router.reference import ReferenceStage, Unmet
from services.router.rules import Fallback, RoutingRules, Rule, in_firing_order

RECYCLE_AFTER = 1_000_000
RETRY_AFTER = 1_000


class Matched(NamedTuple):
    """The ranks of the rules of a stage whose conditions hold, and whether the reference had to say so."""

    ranks: tuple[int, ...]
    by_reference: bool


Matching = Callable[[Reading], Matched]


@dataclass(slots=True)
class Health:
    """How the rule engine fares. `degraded`: it failed twice in a row, the reference answers for the time being."""

    rebuilds: int = 0
    by_reference: int = 0
    degraded: bool = False
    last_error: str = ""


class Stage:
    """One stage of rules on a network of its own, rebuilt when it breaks.

    A failure is answered by rebuilding and asking again; a second one by the reference, for this decision and the
    next RETRY_AFTER. A sound network is replaced every RECYCLE_AFTER decisions.
    """

    def __init__(self, name: str, rules: Sequence[Rule]) -> None:
        self.rules = in_firing_order(rules)
        self.outcome = lru_cache(MOST_REMEMBERED)(partial(_outcome, name, self.rules))
        """What the rules of these ranks come to, when these keys were set by a person."""
        self.fields = frozenset(leaf.field for rule in self.rules if rule.when for leaf in leaves(rule.when))
        self.reference = ReferenceStage(rules)
        self.health = Health()
        self._projection = Projection()
        self._compiled = self._compile()
        self._network = Network(self._compiled)
        self._since = 0
        self._closed = False
        self._lock = threading.Lock()

    def matching(self, reading: Reading) -> Matched:
        """The rules whose conditions hold. Never fails because of the engine."""
        with self._lock:
            ranks = self._ranks(self._projection.project(reading))
            if ranks is None:
                self.health.by_reference += 1
        return self.by_reference(reading) if ranks is None else Matched(tuple(ranks), False)

    def by_reference(self, reading: Reading) -> Matched:
        """The same by the plain evaluator."""
        return Matched(tuple(self.reference.matching(reading)), True)

    def close(self) -> None:
        """Free the engine's memory. A decision that is asked for later is the reference's."""
        with self._lock:
            self._closed = True
            self._network.close()

    def _compile(self) -> list[EngineRule]:
        return [
            EngineRule(rank, self._projection.expressions(conjunction))
            for rank, rule in enumerate(self.rules)
            for conjunction in alternatives(rule.when)
        ]

    def _ranks(self, projected: Projected) -> list[int] | None:
        self._since += 1
        if self._closed or (self.health.degraded and self._since < RETRY_AFTER):
            return None
        if self.health.degraded or self._since >= RECYCLE_AFTER:
            return self._rebuilt(projected)
        try:
            return self._network.matching(projected)
        except EngineBroken as broken:
            self.health.last_error = str(broken)
            return self._rebuilt(projected)

    def _rebuilt(self, projected: Projected) -> list[int] | None:
        self._since = 0
        self.health.rebuilds += 1
        try:
            self._network.close()
            self._network = Network(self._compiled)
            found = self._network.matching(projected)
        except EngineBroken as broken:
            self.health.degraded, self.health.last_error = True, str(broken)
            return None
        self.health.degraded = False
        return found


class RuleEngine:
    """One version of the routing rules, compiled. Immutable; a new version is a new engine, the old one is closed.

    Safe to use from several threads; a decision takes well under a millisecond and never waits for anything.
    """

    def __init__(self, rules: RoutingRules, version: str | None = None) -> None:
        self.rules = rules
        self.version = version or rules.fingerprint
        self.triage = Stage("triage", rules.triage)
        self.assignment = Stage("assignment", rules.assignment)
        self._fields = self.triage.fields | self.assignment.fields
        conclude = partial(_conclusion, self.version, self.triage, self.assignment, rules.fallback)
        self._conclusion = lru_cache(MOST_REMEMBERED)(conclude)

    def decide(self, facts: Facts, context: Context, kept: frozenset[str] = frozenset()) -> Decision:
        """What the rules say about one ticket. `kept` names the fields a person set: no rule changes them.

        Facts are the fields of the condition grammar; others are ignored. FactError if one has the wrong type.
        """
        return self._decide(facts, context, kept, self.triage.matching, self.assignment.matching)

    def decide_by_reference(self, facts: Facts, context: Context, kept: frozenset[str] = frozenset()) -> Decision:
        """The same decision by the plain evaluator alone."""
        return self._decide(facts, context, kept, self.triage.by_reference, self.assignment.by_reference)

    def explain(self, facts: Facts, context: Context, kept: frozenset[str] = frozenset()) -> dict[str, Unmet]:
        """Of every enabled rule, by stage, the conditions that fail; none for a rule that matches (behaviour R-11)."""
        reading = self._reading(facts, context)
        first = self.triage.outcome(self.triage.by_reference(reading).ranks, kept)
        second = triaged(reading, first)
        return {
            "triage": self.triage.reference.unmet(reading),
            "assignment": self.assignment.reference.unmet(second),
        }

    def close(self) -> None:
        """Free the memory of the rule engine."""
        self.triage.close()
        self.assignment.close()

    def _reading(self, facts: Facts, context: Context) -> Reading:
        reading = Reading(facts, context)
        reading.check(self._fields)
        return reading

    def _decide(
        self, facts: Facts, context: Context, kept: frozenset[str], triage: Matching, assignment: Matching
    ) -> Decision:
        reading = self._reading(facts, context)
        about = triage(reading)
        where = assignment(triaged(reading, self.triage.outcome(about.ranks, kept)))
        return self._conclusion(about.ranks, where.ranks, kept, about.by_reference or where.by_reference)


def _outcome(stage: str, rules: Sequence[Rule], ranks: Sequence[int], kept: frozenset[str]) -> StageTrace:
    return merged(stage, [rules[rank] for rank in ranks], kept)


def _conclusion(
    version: str,
    triage: Stage,
    assignment: Stage,
    fallback: Fallback,
    first: tuple[int, ...],
    second: tuple[int, ...],
    kept: frozenset[str],
    by_reference: bool,
) -> Decision:
    about, where = triage.outcome(first, kept), assignment.outcome(second, kept)
    return concluded(version, about, where, fallback, kept, by_reference)


def triaged(reading: Reading, outcome: StageTrace) -> Reading:
    """The ticket as the assignment stage sees it: with what triage has set, its tags added."""
    changes = dict(outcome.set)
    if outcome.tags:
        tags = reading.value("tags")
        changes["tags"] = frozenset(outcome.tags) | (tags if isinstance(tags, frozenset) else frozenset())
    return reading.revised(changes) if changes else reading
