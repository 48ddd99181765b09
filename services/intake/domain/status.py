"""Statuses are data, their categories are fixed (behaviour S-1)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from libs.contracts.ticket_state import ClockFlags, StatusCategory
from libs.worktime import Worktime

WORKED_ON = frozenset({StatusCategory.OPEN, StatusCategory.PENDING, StatusCategory.ON_HOLD})
WAITING = frozenset({StatusCategory.PENDING, StatusCategory.ON_HOLD, StatusCategory.RESOLVED})
"""Categories that a customer's message ends (behaviour S-2)."""

DEFAULT_TRANSITIONS: Mapping[StatusCategory, frozenset[StatusCategory]] = {
    StatusCategory.OPEN: WORKED_ON | {StatusCategory.RESOLVED},
    StatusCategory.PENDING: WORKED_ON | {StatusCategory.RESOLVED},
    StatusCategory.ON_HOLD: WORKED_ON | {StatusCategory.RESOLVED},
    StatusCategory.RESOLVED: WORKED_ON | {StatusCategory.RESOLVED, StatusCategory.CLOSED},
    StatusCategory.CLOSED: frozenset(),
}
"""Where a ticket may go by category, for statuses that do not say it themselves; closed is terminal (S-6)."""

ALL_RUN = ClockFlags()


@dataclass(frozen=True, slots=True)
class Span:
    """So long: in the hours of a schedule, or in time that never stops."""

    length: timedelta
    hours: Worktime | None = None

    def added_to(self, start: datetime) -> datetime:
        """The instant when it is over that begins then."""
        return start + self.length if self.hours is None else self.hours.add(start, self.length.total_seconds())


@dataclass(frozen=True, slots=True)
class Automatic:
    """The step a ticket takes by itself when no person writes on it for so long: to the status with this key."""

    after: Span
    to: str


@dataclass(frozen=True, slots=True)
class Status:
    """One status. transitions: keys it may change to; None = by category.

    automatic: what it becomes by itself, for resolved closing (K-1). reminders: when the customer is reminded (K-2).
    """

    key: str
    category: StatusCategory
    label: Mapping[str, str] = field(default_factory=dict)
    clocks: ClockFlags = ALL_RUN
    counts: bool = True
    default: bool = False
    transitions: frozenset[str] | None = None
    automatic: Automatic | None = None
    reminders: tuple[Span, ...] = ()

    @property
    def steps(self) -> bool:
        """Whether anything happens by itself in it, closing aside."""
        return bool(self.reminders) or (self.automatic is not None and self.category is not StatusCategory.RESOLVED)


class UnknownStatus(ValueError):
    """There is no status with this key."""

    def __init__(self, key: str, known: Iterable[str]) -> None:
        self.key, self.known = key, sorted(known)
        super().__init__(f"status: {key!r} is not one of {', '.join(self.known)}")


class Statuses:
    """The statuses in force, by key; each category has one default."""

    def __init__(
        self,
        statuses: Iterable[Status],
        aliases: Mapping[str, str] | None = None,
        moved: Mapping[str, str] | None = None,
        *,
        thanks_reopen: bool = True,
    ) -> None:
        """ValueError where a category has no status, or two defaults, or a key is used twice or never defined.

        moved: keys that were taken out, with the statuses their tickets have now (S-8). thanks_reopen: whether a
        customer's message that only thanks reopens (K-4).
        """
        self.all, self.moved, self.thanks_reopen = tuple(statuses), dict(moved or {}), thanks_reopen
        self._by_key = {status.key: status for status in self.all}
        self._aliases = dict(aliases or {})
        if len(self._by_key) < len(self.all):
            raise ValueError("statuses: a key is used twice")
        self._defaults = {category: self._default_of(category) for category in StatusCategory}
        self._check_keys()

    def __getitem__(self, key: str) -> Status:
        """The status of a key or alias. UnknownStatus if there is none."""
        status = self._by_key.get(self._aliases.get(key, key))
        if status is None:
            raise UnknownStatus(key, self._by_key)
        return status

    def default(self, category: StatusCategory) -> Status:
        """What a ticket gets that enters the category without a wish."""
        return self._defaults[category]

    def present(self, key: str, category: StatusCategory) -> Status:
        """The status of a stored ticket; if it was taken out since, where it was moved, else the default (S-8)."""
        return self._by_key.get(key) or self._by_key.get(self.moved.get(key, "")) or self._defaults[category]

    def allowed(self, status: Status) -> list[str]:
        """Keys a ticket with this status may change to, sorted (behaviour S-7)."""
        if status.category is StatusCategory.CLOSED:
            return []
        if status.transitions is not None:
            return sorted(status.transitions)
        reachable = DEFAULT_TRANSITIONS[status.category]
        return sorted(other.key for other in self.all if other.category in reachable and other.key != status.key)

    def _default_of(self, category: StatusCategory) -> Status:
        mine = [status for status in self.all if status.category is category]
        chosen = [status for status in mine if status.default] or mine[:1]
        if len(chosen) != 1:
            raise ValueError(f"statuses: category {category} needs exactly one default, it has {len(chosen)}")
        return chosen[0]

    def _check_keys(self) -> None:
        for status in self.all:
            for key in status.transitions or ():
                if key not in self._by_key:
                    raise ValueError(f"statuses.{status.key}.transitions: there is no status {key!r}")
            if status.automatic is not None:
                self._check_step(status, status.automatic.to)
        for key, target in self.moved.items():
            if key in self._by_key or target not in self._by_key:
                raise ValueError(f"moved.{key}: must be a key that is no status any more, and name one that is")
        for alias, key in self._aliases.items():
            if key not in self._by_key or alias in self._by_key:
                raise ValueError(f"aliases.{alias}: must name a status, and be none itself")

    def _check_step(self, status: Status, to: str) -> None:
        """A step leads where the status may lead; only resolved tickets close by themselves (behaviour K-2)."""
        where = f"statuses.{status.key}.auto_transition"
        if to not in self._by_key:
            raise ValueError(f"{where}.to: there is no status {to!r}")
        if to not in self.allowed(status):
            raise ValueError(f"{where}.to: a ticket that is {status.key} cannot become {to}")
        if self._by_key[to].category is StatusCategory.CLOSED and status.category is not StatusCategory.RESOLVED:
            raise ValueError(f"{where}.to: only a resolved ticket closes by itself")
