"""From trials to the figures that are printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.mail.journeys import Outcome
from benchmarks.mail.trial import Trial
from benchmarks.pipeline.figures import MILLION, Spread

LEAST_MAILS_PER_S = 700
LEAST_IMPORT_MAILS_PER_S = 1_000


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is printed. `met`: each requirement and whether it is met."""

    mails_per_s: float
    import_mails_per_s: float
    cpu_us_per_mail: Mapping[str, int]
    import_cpu_us_per_mail: Mapping[str, int]
    latency_250_ms: Spread
    lost: int
    duplicated: int
    ledger: Mapping[str, int]
    machine: Mapping[str, object]
    notes: Sequence[str] = ()
    met: Mapping[str, bool] = field(default_factory=dict)


def mails_per_second(trial: Trial, outcome: Outcome) -> float:
    """From the first mail begun until the last one's ticket is routed and timed."""
    span = outcome.done_at(trial.mails) - trial.delivery.begun
    return round(len(trial.mails) / span, 1) if span > 0 else 0.0


def microseconds_per_mail(trial: Trial) -> dict[str, int]:
    """CPU time by process, and in total, until everybody had heard everything."""
    each = {name: seconds / len(trial.mails) * MILLION for name, seconds in trial.cpu.items()}
    return {"total": round(sum(each.values())), **{name: round(value) for name, value in each.items()}}


def met(figures: Figures) -> dict[str, bool]:
    """Each requirement, and whether it is met."""
    return {
        f"at least {LEAST_MAILS_PER_S} mails/s by SMTP": figures.mails_per_s >= LEAST_MAILS_PER_S,
        f"at least {LEAST_IMPORT_MAILS_PER_S} mails/s by import": (
            figures.import_mails_per_s >= LEAST_IMPORT_MAILS_PER_S
        ),
        "nothing lost, nothing duplicated": figures.lost == figures.duplicated == 0,
    }


def printed(figures: Figures) -> str:
    """A few lines of text."""

    def cpu(of: Mapping[str, int]) -> str:
        by_process = ", ".join(f"{name} {value}" for name, value in of.items() if name != "total")
        return f"{of['total']} us of CPU a mail ({by_process})"

    lines = [
        f"SMTP: {figures.mails_per_s:g} mails/s, {cpu(figures.cpu_us_per_mail)}",
        f"import: {figures.import_mails_per_s:g} mails/s, {cpu(figures.import_cpu_us_per_mail)}",
        f"250 after {figures.latency_250_ms.p50:g} / {figures.latency_250_ms.p99:g} ms (p50 / p99)",
        f"lost {figures.lost}, duplicated {figures.duplicated}; "
        + ", ".join(f"{count} {name}" for name, count in sorted(figures.ledger.items())),
        *(f"{'met    ' if fine else 'NOT MET'} {what}" for what, fine in figures.met.items()),
    ]
    return "\n".join([*lines, *figures.notes])
