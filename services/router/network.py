"""durable_rules inside the envelope in which it is right: shards of small rulesets, one resident fact, one caller.

Outside of it the library hangs, crashes or silently answers wrongly; what is kept to here:
no Host threads; one state, one fact at a time, ids supplied; conjunctions of flat, typed comparisons only; at most
59 rules and a probe, and at most 200 atoms, in one ruleset; a state is deleted only after an action ran in it; actions
record nothing and call nothing. Not thread-safe: the owner holds a lock.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import durable_rules_engine as core
from durable import engine as durable

from services.router.projection import PROBE, TICKET, Expression, Projected

MAX_SHARD_RULES = 59
MAX_SHARD_ATOMS = 200
_PROBE = "probe"
_PROBE_FACT = json.dumps({"id": "T", **PROBE})
_UNMATCHED = 1


class EngineBroken(RuntimeError):
    """The rule engine gave an answer that cannot be: nothing it says may be used until it is rebuilt."""


@dataclass(frozen=True, slots=True)
class EngineRule:
    """One conjunction. `rank` is the place of its rule in firing order; several alternatives share it."""

    rank: int
    expressions: tuple[Expression, ...]

    @property
    def atoms(self) -> frozenset[str]:
        """The atom properties it looks at."""
        return frozenset(name for one in self.expressions for name in one if name[0] in "an")


@dataclass(frozen=True, slots=True)
class _Shard:
    handle: Any
    atoms: frozenset[str]


class _Host(durable.Host):  # type: ignore[misc]
    def _run(self) -> None:
        """Start none of the library's threads: they would run actions beside ours."""


class Network:
    """Compiled rules. `matching` gives the ranks whose conjunctions hold; any doubt raises EngineBroken."""

    def __init__(self, rules: Sequence[EngineRule]) -> None:
        self._host = _Host()
        self._ranks: dict[str, int] = {}
        self._dirty = False
        self._shards = [self._shard(at, part) for at, part in enumerate(_parts(rules))]
        for shard in self._shards:
            self._probe(shard)

    def matching(self, projected: Projected) -> list[int]:
        """The ranks of the rules that hold for a fact, in firing order, each once. EngineBroken if in doubt."""
        if self._dirty:
            raise EngineBroken("an earlier call did not come back")
        self._dirty = True
        names: list[str] = []
        whole = projected.text() if len(projected.atoms) <= MAX_SHARD_ATOMS else None
        for shard in self._shards:
            names += self._fired(shard, whole or projected.text(shard.atoms))
        self._dirty = False
        return sorted({self._ranks[name] for name in names})

    def close(self) -> None:
        """Free the memory of the rulesets; the network answers nothing afterwards. A broken one is left alone."""
        shards, self._shards = self._shards, []
        sound, self._dirty = not self._dirty, True
        for shard in shards if sound else ():
            core.delete_state(shard.handle, "0")
            core.delete_ruleset(shard.handle)

    def _shard(self, at: int, rules: Sequence[EngineRule]) -> _Shard:
        definition: dict[str, Any] = {_PROBE: {"all": [{"m": PROBE}], "run": _recorded_elsewhere}}
        for place, rule in enumerate(rules):
            name = f"r{len(self._ranks)}"
            self._ranks[name] = rule.rank
            definition[name] = {"all": [{"m": _all_of(rule.expressions)}], "pri": place, "run": _recorded_elsewhere}
        try:
            self._host.register_rulesets({f"shard{at}": definition})
        except core.error as error:
            raise EngineBroken(f"the engine refused the rules: {error}") from error
        atoms = frozenset[str]().union(*(rule.atoms for rule in rules))
        return _Shard(self._host.get_ruleset(f"shard{at}")._handle, atoms)

    def _probe(self, shard: _Shard) -> None:
        # It proves that the ruleset answers, and prepares its state: deleting a state without a past frees wild memory.
        if self._fired(shard, _PROBE_FACT) != [_PROBE]:
            raise EngineBroken("the probe did not fire")

    def _fired(self, shard: _Shard, fact: str) -> list[str]:
        try:
            return _run(shard.handle, fact)
        except (core.error, ValueError, MemoryError, SystemError) as error:
            self._dirty = True
            raise EngineBroken(f"{type(error).__name__}: {error}") from error


def _run(handle: Any, fact: str) -> list[str]:
    code, state = core.assert_fact(handle, fact)
    if code == _UNMATCHED:
        return []  # nothing was stored
    if code != 0:
        raise EngineBroken(f"the engine refused the fact with code {code}")
    names: list[str] = []
    started = core.start_action_for_state(handle, state)
    action = started[1] if started else None
    while action:
        names.append(action[2 : action.index('"', 2)])
        action = core.complete_and_start_action(handle, state)
    core.retract_fact(handle, fact)
    return names


def _recorded_elsewhere(closure: object) -> None:
    """The rules' action as the library wants one; the name that it is started with is all that is used."""


def _all_of(expressions: Sequence[Expression]) -> Expression:
    if not expressions:
        return TICKET
    return expressions[0] if len(expressions) == 1 else {"$and": list(expressions)}


def _parts(rules: Sequence[EngineRule]) -> list[list[EngineRule]]:
    parts: list[list[EngineRule]] = []
    atoms: frozenset[str] = frozenset()
    for rule in rules:
        if not parts or len(parts[-1]) == MAX_SHARD_RULES or len(atoms | rule.atoms) > MAX_SHARD_ATOMS:
            parts.append([])
            atoms = frozenset()
        parts[-1].append(rule)
        atoms |= rule.atoms
    return parts
