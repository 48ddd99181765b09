"""The router's part of a configuration bundle: rules, roster and schedules, read and checked against each other."""

import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from libs.conditions.problems import problems_of
from libs.worktime import ScheduleError, Worktime, zone
from libs.worktime import parse as parse_schedule
from services.router.assignment.hours import Hours
from services.router.assignment.ruling import Rulings
from services.router.engine import RuleEngine
from services.router.network import EngineBroken
from services.router.roster import Roster
from services.router.rules import AssignmentThen, RoutingRules

ROUTING, AGENTS, WORKTIME = "routing.yaml", "agents.yaml", "worktime.yaml"
TEXTS = frozenset({"subject", "body"})

Model = TypeVar("Model", bound=BaseModel)


@dataclass(eq=False)
class RouterConfiguration:
    """What the router works by."""

    rules: RoutingRules
    engine: RuleEngine
    roster: Roster
    schedules: Mapping[str, Worktime]
    zones: Mapping[str, tzinfo]
    rulings: Rulings = field(init=False)

    def __post_init__(self) -> None:
        self.rulings = Rulings({rule.id: rule.then.queue for rule in self.rules.assignment if rule.then.queue})
        # the engine's memory is C's: it goes when the last transaction that uses this configuration is over
        weakref.finalize(self, self.engine.close).atexit = False

    def hours(self, now: datetime) -> Hours:
        """The hours of the queues at one instant."""
        return Hours(self.schedules, self.zones, now)

    @property
    def routes_by_text(self) -> frozenset[str]:
        """The texts that assignment rules look at; they are kept, because a ticket may be routed again."""
        return self.engine.assignment.fields & TEXTS


def parse(files: Mapping[str, Any]) -> RouterConfiguration:
    """The configuration of a bundle. ValueError has one line a problem, each naming file, field and reason."""
    rules = _model(files, ROUTING, RoutingRules)
    roster = _model(files, AGENTS, Roster)
    schedules, zones = _schedules(files)
    problems = [*_unknown_in_rules(rules, roster), *_unknown_schedules(roster, schedules)]
    if problems:
        raise ValueError("\n".join(problems))
    try:
        engine = RuleEngine(rules)
    except EngineBroken as broken:
        raise ValueError(f"{ROUTING}: the rule engine refuses these rules: {broken}") from broken
    return RouterConfiguration(rules, engine, roster, schedules, zones)


def _model(files: Mapping[str, Any], name: str, model: type[Model]) -> Model:
    if name not in files:
        raise ValueError(f"{name}: is missing")
    try:
        return model.model_validate(files[name])
    except ValidationError as error:
        raise ValueError("\n".join(f"{name}: {problem}" for problem in problems_of(error))) from None


def _schedules(files: Mapping[str, Any]) -> tuple[dict[str, Worktime], dict[str, tzinfo]]:
    content = files.get(WORKTIME)
    found = content.get("schedules") if isinstance(content, Mapping) else None
    if not isinstance(found, Mapping):
        raise ValueError(f"{WORKTIME}: schedules: is missing")
    schedules, zones = {}, {}
    for key, raw in found.items():
        try:
            schedule = parse_schedule(raw)
        except ScheduleError as fault:
            raise ValueError(f"{WORKTIME}: schedules.{key}.{fault}") from None
        schedules[key], zones[key] = schedule.compile(), zone(schedule.timezone)
    return schedules, zones


def _unknown_in_rules(rules: RoutingRules, roster: Roster) -> Iterator[str]:
    for rule in rules.assignment:
        yield from _unknown(f"{ROUTING}: assignment rule {rule.id}", rule.then, roster)
    yield from _unknown(f"{ROUTING}: fallback", rules.fallback, roster)


def _unknown(where: str, then: AssignmentThen, roster: Roster) -> Iterator[str]:
    if then.queue is not None and then.queue not in roster.queues:
        yield f"{where}: queue: {then.queue!r} is not in {AGENTS}; there are: {', '.join(sorted(roster.queues))}"
    if then.pinned_agent is not None and then.pinned_agent not in roster.agents:
        yield f"{where}: pinned_agent: {then.pinned_agent!r} is not in {AGENTS}"
    wished = {skill for tier in then.optional_skills or () for skill in tier.skills}
    for skill in sorted({*(then.required_skills or ()), *wished} - roster.known_skills):
        yield f"{where}: skill {skill!r}: no agent of {AGENTS} has it; list it under `skills` if one will"


def _unknown_schedules(roster: Roster, schedules: Mapping[str, Worktime]) -> Iterator[str]:
    for key, queue in roster.queues.items():
        if queue.schedule is not None and queue.schedule not in schedules:
            known = ", ".join(sorted(schedules))
            yield f"{AGENTS}: queues.{key}.schedule: {queue.schedule!r} is not in {WORKTIME}; there are: {known}"
