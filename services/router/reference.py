"""The rules by plain Python: the oracle of the engine, its stand-in when it is broken, and why a rule did not fire."""

from collections.abc import Mapping, Sequence

from libs.conditions.evaluate import Test, compiled
from libs.conditions.explain import Failure, failures
from libs.conditions.reading import Reading
from services.router.rules import Rule, in_firing_order

Unmet = Mapping[str, tuple[Failure, ...]]
"""Failing conditions by rule id."""


class ReferenceStage:
    """One stage of rules, each evaluated on its own."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = in_firing_order(rules)
        self._tests: tuple[Test | None, ...] = tuple(compiled(rule.when) if rule.when else None for rule in self._rules)

    def matching(self, reading: Reading) -> list[int]:
        """The ranks of the rules whose conditions hold: their places in firing order."""
        return [rank for rank, test in enumerate(self._tests) if test is None or test(reading)]

    def unmet(self, reading: Reading) -> Unmet:
        """Of every enabled rule the leaves that fail; empty for a rule that matches (behaviour R-11)."""
        return {rule.id: failures(rule.when, reading) if rule.when else () for rule in self._rules}
