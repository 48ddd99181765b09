"""What the rules decided and how it came about: plain frozen values, and the merge of the rules that fired."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

from services.router.rules import Fallback, Rule, SkillTier

FALLBACK = "fallback"
PERSON = "person"

MOST_REMEMBERED = 2_048
"""Outcomes kept of each kind: the same rules fire for most tickets, and what follows from them never changes."""


@dataclass(frozen=True, slots=True)
class Overridden:
    """A rule fired and wanted to set `key`, but `by` (a rule id, or `person`) had the first word."""

    rule: str
    key: str
    by: str


@dataclass(frozen=True, slots=True)
class StageTrace:
    """One stage: which rules matched, which of them fired (up to a `stop`), and what they set."""

    stage: str
    matched: tuple[str, ...]
    fired: tuple[str, ...]
    stopped_by: str | None
    set: Mapping[str, object]
    set_by: Mapping[str, str]
    overridden: tuple[Overridden, ...]
    tags: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """The trace as JSON data."""
        return {
            "stage": self.stage,
            "matched": list(self.matched),
            "fired": list(self.fired),
            "stopped_by": self.stopped_by,
            "set_by": dict(self.set_by),
            "tags": list(self.tags),
        }


@dataclass(frozen=True, slots=True)
class Route:
    """Where the rules send a ticket. `queue` is None only where a person keeps theirs."""

    queue: str | None = None
    required_skills: tuple[str, ...] = ()
    optional_skills: tuple[SkillTier, ...] = ()
    pinned_agent: str | None = None
    strategy: str | None = None
    defer: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of both stages for one ticket.

    `set` holds the values by key: category, priority, custom.<key>, and the fields of Route. `tags` are to be added.
    `fallback` says that no rule named a queue (behaviour R-0). `by_reference` says that the rule engine was broken
    and the plain evaluator answered.
    """

    version: str
    fired: tuple[str, ...]
    set: Mapping[str, object]
    set_by: Mapping[str, str]
    overridden: tuple[Overridden, ...]
    tags: tuple[str, ...]
    fallback: bool
    triage: StageTrace
    assignment: StageTrace
    by_reference: bool = False

    def __hash__(self) -> int:
        return hash((self.version, self.fired, self.tags))

    @property
    def route(self) -> Route:
        """The second stage's outcome, typed."""
        chosen: dict[str, Any] = {key: value for key, value in self.set.items() if key in _ROUTE}
        return Route(**chosen)

    def plain(self) -> dict[str, Any]:
        """The decision as JSON data: version, fired, set, set_by, overridden, tags, fallback, by_reference, stages."""
        return {
            "version": self.version,
            "fired": list(self.fired),
            "set": {key: _plain(value) for key, value in self.set.items()},
            "set_by": dict(self.set_by),
            "overridden": [{"rule": one.rule, "key": one.key, "by": one.by} for one in self.overridden],
            "tags": list(self.tags),
            "fallback": self.fallback,
            "by_reference": self.by_reference,
            "stages": [stage.plain() for stage in (self.triage, self.assignment)],
        }


def _plain(value: object) -> Any:
    if isinstance(value, SkillTier):
        return value.model_dump(mode="json")
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


_ROUTE = frozenset(field.name for field in fields(Route))


def merged(stage: str, rules: Sequence[Rule], kept: frozenset[str] = frozenset()) -> StageTrace:
    """The outcome of the rules that matched, in firing order: the first to set a key wins, `stop` ends the stage.

    Keys in `kept` were set by a person; no rule changes them (decisions 7).
    """
    values: dict[str, object] = {}
    set_by: dict[str, str] = dict.fromkeys(kept, PERSON)
    overridden: list[Overridden] = []
    fired = _up_to_stop(rules)
    for rule in fired:
        for key, value in rule.then.settings:
            if key in set_by:
                overridden.append(Overridden(rule.id, key, set_by[key]))
            else:
                values[key], set_by[key] = value, rule.id
    return StageTrace(
        stage=stage,
        matched=tuple(rule.id for rule in rules),
        fired=tuple(rule.id for rule in fired),
        stopped_by=fired[-1].id if fired and fired[-1].stop else None,
        set=MappingProxyType(values),
        set_by=MappingProxyType({key: set_by[key] for key in values}),
        overridden=tuple(overridden),
        tags=tuple(dict.fromkeys(tag for rule in fired for tag in rule.then.add_tags)),
    )


def _up_to_stop(rules: Sequence[Rule]) -> Sequence[Rule]:
    for at, rule in enumerate(rules):
        if rule.stop:
            return rules[: at + 1]
    return rules


def concluded(
    version: str,
    triage: StageTrace,
    assignment: StageTrace,
    fallback: Fallback,
    kept: frozenset[str] = frozenset(),
    by_reference: bool = False,
) -> Decision:
    """Both stages as one decision; the fallback fills in what is not set when no rule named a queue (behaviour R-0)."""
    values = {**triage.set, **assignment.set}
    set_by = {**triage.set_by, **assignment.set_by}
    tags = (*triage.tags, *assignment.tags)
    needed = "queue" not in values and "queue" not in kept
    if needed:
        for key, value in fallback.settings:
            if key not in values and key not in kept:
                values[key], set_by[key] = value, FALLBACK
        tags += fallback.add_tags
    return Decision(
        version=version,
        fired=(*triage.fired, *assignment.fired),
        set=MappingProxyType(values),
        set_by=MappingProxyType(set_by),
        overridden=(*triage.overridden, *assignment.overridden),
        tags=tuple(dict.fromkeys(tags)),
        fallback=needed,
        triage=triage,
        assignment=assignment,
        by_reference=by_reference,
    )
