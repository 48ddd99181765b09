"""statuses.yaml: statuses as data (behaviour S-1, S-8, K-1, K-2, K-4)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from libs.contracts.ticket_state import ClockFlags, StatusCategory
from libs.worktime import ScheduleError, Worktime
from libs.worktime import parse as parse_schedule
from services.intake.domain.status import Automatic, Span, Status, Statuses

STATUSES_FILE, HOURS_FILE = "statuses.yaml", "worktime.yaml"

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
Runs = Literal["run", "pause"]
Length = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,5}[mhd]$")]
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
LONGEST = timedelta(days=3660)

Hours = Mapping[str, Worktime]
"""Schedules by key."""


class Part(BaseModel):
    """A part of the file; unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ClocksPart(Part):
    """What each kind of clock does while a ticket has the status."""

    first_response: Runs = "run"
    next_response: Runs = "run"
    resolution: Runs = "run"

    def flags(self) -> ClockFlags:
        """As facts carry them."""
        return ClockFlags(
            first_response=self.first_response == "run",
            next_response=self.next_response == "run",
            resolution=self.resolution == "run",
        )


class TransitionPart(Part):
    """The step a ticket takes by itself: 72h, 7d; in the hours of a schedule, or in time that never stops."""

    after: Length
    to: Key
    schedule: str | None = None


class StatusPart(Part):
    """One status as written."""

    key: Key
    label: dict[str, str] = Field(min_length=1)
    category: StatusCategory
    default: bool = False
    clocks: ClocksPart = ClocksPart()
    counts: bool = True
    transitions: tuple[Key, ...] | None = None
    auto_transition: TransitionPart | None = None
    auto_close_after_hours: float | None = Field(None, gt=0, le=24 * 365)
    remind_after: tuple[Length, ...] = Field((), max_length=5)
    remind_schedule: str | None = None

    def status(self, closed: str, hours: Hours) -> Status:
        """As the domain knows it. ValueError for what no status may do by itself (behaviour K-2)."""
        return Status(
            key=self.key,
            category=self.category,
            label=self.label,
            clocks=self.clocks.flags(),
            counts=self.counts,
            default=self.default,
            transitions=None if self.transitions is None else frozenset(self.transitions),
            automatic=self._automatic(closed, hours),
            reminders=self._reminders(hours),
        )

    def _automatic(self, closed: str, hours: Hours) -> Automatic | None:
        if self.auto_close_after_hours is not None:
            where = f"statuses.{self.key}.auto_close_after_hours"
            if self.category is not StatusCategory.RESOLVED:
                raise ValueError(f"{where}: only a resolved ticket closes by itself")
            if self.auto_transition is not None:
                raise ValueError(f"{where}: auto_transition says it already")
            return Automatic(Span(timedelta(hours=self.auto_close_after_hours)), closed)
        written = self.auto_transition
        if written is None:
            return None
        return Automatic(
            _span(f"statuses.{self.key}.auto_transition", written.after, written.schedule, hours), written.to
        )

    def _reminders(self, hours: Hours) -> tuple[Span, ...]:
        where = f"statuses.{self.key}.remind_after"
        if self.remind_after and self.category is not StatusCategory.PENDING:
            raise ValueError(f"{where}: only of a ticket that is pending a customer is reminded")
        spans = tuple(_span(where, each, self.remind_schedule, hours) for each in self.remind_after)
        if list(spans) != sorted(spans, key=lambda span: span.length):
            raise ValueError(f"{where}: the shortest comes first")
        return spans


class StatusFile(Part):
    """The whole file."""

    statuses: tuple[StatusPart, ...]
    aliases: dict[Key, Key] = Field(default_factory=dict)
    moved: dict[Key, Key] = Field(default_factory=dict)
    thanks_reopen: bool = True


def read_statuses(document: Any, hours: Hours | None = None) -> Statuses:
    """The statuses of a parsed statuses.yaml; hours: schedules by key. ValueError names file, field and reason."""
    try:
        written = StatusFile.model_validate(document)
        closed = next((p.key for p in written.statuses if p.category is StatusCategory.CLOSED and p.default), None)
        closed = closed or next((p.key for p in written.statuses if p.category is StatusCategory.CLOSED), "closed")
        statuses = [part.status(closed, hours or {}) for part in written.statuses]
        return Statuses(statuses, written.aliases, written.moved, thanks_reopen=written.thanks_reopen)
    except ValidationError as faults:
        first = faults.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{STATUSES_FILE}: {place}: {first['msg']}") from None
    except ValueError as fault:
        raise ValueError(f"{STATUSES_FILE}: {fault}") from None


def read_hours(document: Any) -> Hours:
    """The schedules of a parsed worktime.yaml. ValueError names file, field and reason."""
    schedules = document.get("schedules", {}) if isinstance(document, dict) else {}
    found = {}
    for key, raw in (schedules if isinstance(schedules, dict) else {}).items():
        try:
            found[str(key)] = parse_schedule(raw).compile()
        except ScheduleError as fault:
            raise ValueError(f"{HOURS_FILE}: schedules.{key}.{fault}") from None
    return found


def wrong_moves(before: Any, after: Any) -> list[str]:
    """What is wrong with the statuses that are taken out, one text each (behaviour S-8).

    Each needs a status to move its tickets to, and keeps it for good, for tickets keep their key until they change. It
    is one of the same category: folders, clocks and load go by the category that a ticket has.
    before, after: parsed files of which the second was read without a fault.
    """
    old, new = _categories(before), _categories(after)
    faults = [f"{key} is no status any more; name the one that its tickets have now" for key in old if key not in new]
    return faults + [
        f"{key} was {old[key]} and its tickets would be {category}; name a status of the same category"
        for key, category in new.items()
        if key in _moved(after) and old.get(key, category) != category
    ]


def _categories(document: Any) -> dict[str, str]:
    """The category of each status, also of those that were moved."""
    written = document.get("statuses", []) if isinstance(document, dict) else []
    found = {part["key"]: str(part["category"]) for part in written}
    return found | {old: found[present] for old, present in _moved(document).items() if present in found}


def _moved(document: Any) -> dict[str, str]:
    return (document.get("moved") or {}) if isinstance(document, dict) else {}


def _span(where: str, length: str, schedule: str | None, hours: Hours) -> Span:
    worktime = None
    if schedule is not None:
        worktime = hours.get(schedule)
        if worktime is None:
            raise ValueError(f"{where}: there is no schedule {schedule!r}")
    lasting = int(length[:-1]) * UNITS[length[-1]]
    if lasting > LONGEST:
        raise ValueError(f"{where}: {length} is longer than ten years")
    return Span(lasting, worktime)
