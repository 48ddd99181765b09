"""From trials and journeys to the figures that are printed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from benchmarks.pipeline.checks import Account
from benchmarks.pipeline.journeys import Journey
from benchmarks.pipeline.trial import Trial

MILLION = 1_000_000

MOST_MICROSECONDS = 1_200
LEAST_TICKETS_PER_SECOND = 1_500
LEAST_RATIO = 30
NAIVE_MOST_MICROSECONDS = 55_000
MOST_BUSY = 0.6
MOST_ASSIGNED_MS = {"100_per_s": 75, "1000_per_s": 300}


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds."""

    p50: float
    p99: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Self:
        """By nearest rank; of nothing it is endless."""
        ordered = sorted(seconds) or [float("inf")]
        at = [ordered[min(len(ordered) - 1, len(ordered) * share // 100)] for share in (50, 99)]
        return cls(*(round(value * 1e3, 1) for value in at))


@dataclass(frozen=True, slots=True)
class Latency:
    """From the instant an event was due until the stream had its ticket's assignment, until reporting counted it."""

    assigned: Spread
    counted: Spread


@dataclass(frozen=True, slots=True)
class Naive:
    """What the naive variant came to."""

    tickets_per_s: float
    cpu_us_per_ticket: int
    cpu_us_by_process: Mapping[str, int]
    tickets: int
    lost: int
    duplicated: int
    round_ns: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is printed. `met`: each requirement and whether it is met."""

    tickets_per_s: float
    cpu_us_per_ticket: Mapping[str, int]
    latency_ms: Mapping[str, Latency]
    busy_at_100_per_s: float
    naive: Naive | None
    lost: int
    duplicated: int
    facts_per_ticket: float
    machine: Mapping[str, object]
    notes: Sequence[str] = ()
    met: Mapping[str, bool] = field(default_factory=dict)


Journeys = Mapping[str, Journey]
"""By the conversation that each began with."""


def by_conversation(journeys: Iterable[Journey]) -> Journeys:
    """Those whose opening was said."""
    return {journey.conversation: journey for journey in journeys if journey.conversation is not None}


def tickets_per_second(trial: Trial, journeys: Journeys) -> float:
    """From the first event published to the last ticket counted."""
    counted = [each.counted_at for each in _of(trial, journeys) if each.counted_at is not None]
    span = max(counted, default=0.0) - min(trial.delivery.due.values())
    return round(len(counted) / span, 1) if counted else 0.0


def microseconds_per_ticket(trial: Trial) -> dict[str, int]:
    """CPU time by process, and in total."""
    each = {name: seconds / trial.order.tickets * MILLION for name, seconds in trial.cpu.items()}
    return {"total": round(sum(each.values())), **{name: round(value) for name, value in each.items()}}


def latency(trial: Trial, journeys: Journeys) -> Latency:
    """How long the tickets of a trial took."""
    due = trial.delivery.due
    found = [(due[each.conversation or ""], each) for each in _of(trial, journeys)]
    return Latency(
        assigned=Spread.of(each.assigned_at - at for at, each in found if each.assigned_at is not None),
        counted=Spread.of(each.counted_at - at for at, each in found if each.counted_at is not None),
    )


def naive_figures(trial: Trial, journeys: Journeys, account: Account) -> Naive:
    """The part of the naive variant."""
    cpu = microseconds_per_ticket(trial)
    return Naive(
        tickets_per_s=tickets_per_second(trial, journeys),
        cpu_us_per_ticket=cpu.pop("total"),
        cpu_us_by_process=cpu,
        tickets=trial.order.tickets,
        lost=account.lost,
        duplicated=account.duplicated,
        round_ns=trial.round_ns,
    )


def met(figures: Figures) -> dict[str, bool]:
    """Each requirement, and whether it is met."""
    total = figures.cpu_us_per_ticket["total"]
    return {
        f"at most {MOST_MICROSECONDS} us a ticket": total <= MOST_MICROSECONDS,
        f"at least {LEAST_TICKETS_PER_SECOND} tickets/s": figures.tickets_per_s >= LEAST_TICKETS_PER_SECOND,
        **{
            f"assigned p99 at most {most} ms at {rate}": figures.latency_ms[rate].assigned.p99 <= most
            for rate, most in MOST_ASSIGNED_MS.items()
        },
        f"at most {MOST_BUSY:.0%} busy at 100_per_s": figures.busy_at_100_per_s <= MOST_BUSY,
        "nothing lost, nothing duplicated": figures.lost == figures.duplicated == 0,
        **(_beside(figures.naive, total) if figures.naive is not None else {}),
    }


def _beside(naive: Naive, total: int) -> dict[str, bool]:
    return {
        f"{LEAST_RATIO} times less CPU than naive": naive.cpu_us_per_ticket >= LEAST_RATIO * total,
        f"naive at most {NAIVE_MOST_MICROSECONDS} us a ticket": naive.cpu_us_per_ticket <= NAIVE_MOST_MICROSECONDS,
        "naive: nothing lost, nothing duplicated": naive.lost == naive.duplicated == 0,
    }


def _of(trial: Trial, journeys: Journeys) -> list[Journey]:
    return [journeys[conversation] for conversation in trial.delivery.due if conversation in journeys]
