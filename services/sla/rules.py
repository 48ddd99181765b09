"""sla.yaml and worktime.yaml as the clocks use them: what a ticket is promised, and hours that can be asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import blake2s
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from libs.chassis.clock import real_now
from libs.conditions.evaluate import Test, compiled
from libs.conditions.problems import problems_of
from libs.conditions.reading import Context, Reading
from libs.conditions.tree import leaves
from libs.contracts.sla import Metric
from libs.contracts.ticket_state import TicketState
from libs.worktime import Schedule, ScheduleError, Worktime
from libs.worktime import parse as parse_schedule
from services.sla.domain import timeline
from services.sla.domain.state import State
from services.sla.policy import QUEUE, Allowance, Policy, Promises, document

FILE, HOURS = "sla.yaml", "worktime.yaml"
TERMS_KEPT = 4096
CALENDAR = Schedule.always().compile()
"""Time that never stops, for targets in calendar time."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What applies to a ticket now. `policy` None: nothing is promised. `schedule`: the hours all clocks run on.

    in_calendar: the CALENDAR bits of metrics whose time never stops.
    """

    policy: str | None
    schedule: str
    priority: str
    targets: Mapping[Metric, Allowance]
    in_calendar: int = 0

    def target(self, metric: Metric) -> int | None:
        """Seconds of running time allowed, None when nothing is promised."""
        allowance = self.targets.get(metric)
        return None if allowance is None else allowance.time


@dataclass(frozen=True)
class Rules:
    """The configuration of this service. `fingerprint` changes with anything that could move a deadline."""

    promises: Promises
    worktimes: Mapping[str, Worktime]
    fingerprint: str
    version: int = 0
    queues: Mapping[str, str] = field(default_factory=dict)
    tests: tuple[tuple[Test | None, Policy], ...] = ()
    _in_force: "dict[tuple[object, ...], Rules]" = field(default_factory=dict, repr=False, compare=False)
    _found: dict[tuple[object, ...], Terms] = field(default_factory=dict, repr=False, compare=False)

    def with_queues(self, queues: Mapping[str, str], version: int) -> "Rules":
        """The same, knowing the schedules of the queues and the version of the configuration."""
        name = (version, *queues.items())
        if name not in self._in_force:
            self._in_force.clear()
            self._in_force[name] = Rules(self.promises, self.worktimes, self.fingerprint, version, queues, self.tests)
        return self._in_force[name]

    @cached_property
    def basis(self) -> str:
        """What deadlines were computed by, in one word: the files and the queues' schedules."""
        return f"{self.fingerprint}-{_digest(sorted(self.queues.items()))}"

    def worktime(self, schedule: str, calendar: bool = False) -> Worktime:
        """Hours by the schedule's key; those of the default for one that was taken out of the file since."""
        if calendar:
            return CALENDAR
        return self.worktimes.get(schedule) or self.worktimes[self.promises.default_schedule]

    def terms_for(self, state: State) -> Terms:
        """The same for tickets that are alike in all that policies ask about: found once, then remembered."""
        asked = state.values(self._asks_about)
        found = self._found.get(asked)
        if found is None:
            if len(self._found) >= TERMS_KEPT:
                self._found.clear()
            found = self._found[asked] = self.terms(state.whole())
        return found

    @cached_property
    def _asks_about(self) -> tuple[str, ...]:
        conditions = [policy.when for policy in self.promises.policies if policy.when is not None]
        asked = {leaf.field for condition in conditions for leaf in leaves(condition)}
        return tuple(sorted(asked | {"priority", "queue"}))

    def terms(self, state: TicketState) -> Terms:
        """First match wins (behaviour L-2); no match promises nothing (L-3). An unset priority is the default one."""
        priority = state.priority or self.promises.default_priority
        reading = Reading({**state.__dict__, "priority": priority}, Context(state.updated_at))
        for test, policy in self.tests:
            if test is None or test(reading):
                schedule = self._schedule(policy, state.queue)
                targets = policy.targets.get(priority, {})
                return Terms(policy.key, schedule, priority, targets, _in_calendar(targets))
        return Terms(None, self.promises.default_schedule, priority, {})

    def _schedule(self, policy: Policy, queue: str | None) -> str:
        """The policy's own, else the queue's, else the default (behaviour B-6)."""
        if policy.schedule not in (None, QUEUE):
            return policy.schedule or ""
        known = self.queues.get(queue or "")
        return known if known and known in self.worktimes else self.promises.default_schedule


def _in_calendar(targets: Mapping[Metric, Allowance]) -> int:
    return sum(timeline.CALENDAR[metric] for metric, allowance in targets.items() if allowance.mode == "calendar")


def read_rules(files: Mapping[str, Any], now: datetime) -> Rules:
    """The rules of a bundle. ValueError names file, field and reason, also for a schedule that stands still (B-4)."""
    worktimes = _worktimes(document(files, HOURS), now)
    promises = _promises(document(files, FILE))
    for place, key in promises.schedules():
        if key not in worktimes:
            known = ", ".join(worktimes)
            raise ValueError(f"{FILE}: {place}: there is no schedule {key} in {HOURS}; there are {known}")
    tests = tuple((None if policy.when is None else compiled(policy.when), policy) for policy in promises.policies)
    return Rules(promises, worktimes, _digest([files[FILE], files[HOURS]]), tests=tests)


def parse(files: Mapping[str, Any]) -> Rules:
    """`read_rules` as of today."""
    return read_rules(files, real_now())


def _promises(raw: object) -> Promises:
    try:
        return Promises.model_validate(raw)
    except ValidationError as error:
        raise ValueError("\n".join(f"{FILE}: {problem}" for problem in problems_of(error))) from None


def _worktimes(raw: Any, now: datetime) -> dict[str, Worktime]:
    schedules = raw.get("schedules") if isinstance(raw, dict) else None
    if not isinstance(schedules, dict) or not schedules:
        raise ValueError(f"{HOURS}: schedules: is missing; allowed: one schedule or more by key")
    if not isinstance(raw, dict) or set(raw) != {"schedules"}:
        raise ValueError(f"{HOURS}: {', '.join(sorted(set(raw) - {'schedules'}))}: is not known here")
    return {str(key): _worktime(str(key), schedule, now) for key, schedule in schedules.items()}


def _worktime(key: str, raw: object, now: datetime) -> Worktime:
    try:
        return parse_schedule(raw).running(now)
    except ScheduleError as error:
        raise ValueError(f"{HOURS}: schedules.{key}.{error}") from None


def _digest(content: Any) -> str:
    return blake2s(to_json(content), digest_size=6).hexdigest()
