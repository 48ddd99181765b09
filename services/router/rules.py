"""routing.yaml as a model: triage says what a ticket is, assignment says where it goes, the fallback where it ends."""

import hashlib
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Any, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from libs.conditions.evaluate import values_of
from libs.conditions.fields import EQUALITY, ME, MY_QUEUES, PRIORITIES, PRIORITY_ALIASES
from libs.conditions.problems import Path
from libs.conditions.tree import AS_TUPLE, Condition, leaves

MAX_RULES = 5_000

_SPAN = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _refused(reason: str, allowed: str = "", within: Path = ()) -> PydanticCustomError:
    return PydanticCustomError("rule", "{reason}", {"reason": reason, "allowed": allowed, "within": within})


def _priority(raw: Any) -> Any:
    if not isinstance(raw, str) or raw not in (*PRIORITIES, *PRIORITY_ALIASES):
        raise _refused(f"{raw!r} is no priority", ", ".join((*PRIORITIES, *PRIORITY_ALIASES)))
    return PRIORITY_ALIASES.get(raw, raw)


def _seconds(raw: Any) -> Any:
    found = _SPAN.fullmatch(raw) if isinstance(raw, str) else None
    if not found or not 0 < int(found[1]) * _SECONDS[found[2]] <= 30 * 86_400:
        raise _refused(f"{raw!r} is no span of time", "such as 90s, 15m, 4h or 2d; at most 30d")
    return int(found[1]) * _SECONDS[found[2]]


def _of(*choices: str) -> AfterValidator:
    def check(value: str) -> str:
        if value not in choices:
            raise _refused(f"{value!r} is not one of the choices", ", ".join(choices))
        return value

    return AfterValidator(check)


Key: TypeAlias = Annotated[str, Field(pattern=r"^\w[\w./:@+-]{0,63}$")]
Keys: TypeAlias = Annotated[tuple[Key, ...], AS_TUPLE, Field(min_length=1, max_length=50)]
CustomKey: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]
CustomValue: TypeAlias = Annotated[str, Field(min_length=1, max_length=256)] | int | float | bool


Settings: TypeAlias = tuple[tuple[str, object], ...]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Then(_Part):
    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not self.model_fields_set:
            raise _refused("does nothing", ", ".join(type(self).model_fields))
        return self


class TriageThen(_Then):
    """What a triage rule says about a ticket."""

    category: Key | None = None
    priority: Annotated[str, BeforeValidator(_priority)] | None = None
    custom: dict[CustomKey, CustomValue] = Field(default_factory=dict)
    add_tags: Keys = Field(())

    @cached_property
    def settings(self) -> Settings:
        """What is set, by field of the condition grammar."""
        named = (("category", self.category), ("priority", self.priority))
        custom = ((f"custom.{key}", value) for key, value in self.custom.items())
        return (*((key, value) for key, value in named if value is not None), *custom)


class SkillTier(_Part):
    """Skills wished for until a ticket has waited `drop_after` seconds of its queue's hours (behaviour R-5)."""

    skills: Keys
    drop_after: Annotated[int, BeforeValidator(_seconds)]


SkillTiers: TypeAlias = Annotated[tuple[SkillTier, ...], AS_TUPLE, Field(min_length=1, max_length=20)]


class AssignmentThen(_Then):
    """Where an assignment rule sends a ticket. `defer` keeps it in its queue until that queue's hours begin."""

    queue: Key | None = None
    required_skills: Keys | None = None
    optional_skills: SkillTiers | None = None
    pinned_agent: Key | None = None
    strategy: Annotated[str, _of("round_robin", "balanced")] | None = None
    defer: bool | None = None
    add_tags: Keys = Field(())

    @cached_property
    def settings(self) -> Settings:
        """What is set, by the names above."""
        return tuple((key, value) for key, value in self if key != "add_tags" and value is not None)


class Fallback(AssignmentThen):
    """Where a ticket goes when no rule names a queue (behaviour R-0)."""

    queue: Key


class Rule(_Part):
    """One rule. Higher salience fires first, the order of the file breaks ties; without `when` it always fires."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
    salience: int = Field(0, ge=-10_000, le=10_000)
    enabled: bool = True
    when: Condition | None = None
    stop: bool = False
    then: TriageThen | AssignmentThen

    @model_validator(mode="after")
    def _is_about_tickets(self) -> Self:
        for leaf in leaves(self.when) if self.when else ():
            for one in values_of(leaf) if leaf.operator in EQUALITY else ():
                if one in (ME, MY_QUEUES):
                    raise _refused(f"{one} means nothing in a rule: nobody is asking", within=("when",))
        return self


class TriageRule(Rule):
    """A rule of the first stage."""

    then: TriageThen


class AssignmentRule(Rule):
    """A rule of the second stage; it sees what triage has set as the ticket's own fields."""

    then: AssignmentThen


class RoutingRules(_Part):
    """The whole of routing.yaml (decisions 7 and 29)."""

    triage: Annotated[tuple[TriageRule, ...], AS_TUPLE, Field(max_length=MAX_RULES)] = ()
    assignment: Annotated[tuple[AssignmentRule, ...], AS_TUPLE, Field(max_length=MAX_RULES)] = ()
    fallback: Fallback

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        seen: set[str] = {"fallback", "person"}
        for stage, rules in (("triage", self.triage), ("assignment", self.assignment)):
            for at, rule in enumerate(rules):
                if rule.id in seen:
                    allowed = "ids that occur once; not fallback or person"
                    raise _refused(f"the rule id {rule.id!r} is taken", allowed, within=(stage, at, "id"))
                seen.add(rule.id)
        return self

    @property
    def fingerprint(self) -> str:
        """A short name for exactly these rules, for callers that have no configuration version."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


def in_firing_order(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The enabled rules, highest salience first, the order of the file breaking ties (decisions 29)."""
    return tuple(sorted((rule for rule in rules if rule.enabled), key=lambda rule: -rule.salience))
