"""What has to be known beside the figures of a trial: why they may be worse than they should."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from benchmarks.pipeline.machine import Cores

SHARED_CORES = "two cores only: the load generator takes CPU from the system; judge by the ratio to the naive variant"
UNFINISHED = "{name}: not everything was counted in time"
DISTURBED = "{name}: others took {share:.0%} of the system's cores, its figures are too high"
MOST_STRANGERS = 0.05


class Tried(Protocol):
    """finished: all was counted in time. strangers: share of the system's cores that others took."""

    @property
    def finished(self) -> bool: ...

    @property
    def strangers(self) -> float: ...


def remarks(cores: Cores, trials: Mapping[str, Tried]) -> list[str]:
    """On the machine, and on these trials by name; none when all is well."""
    shared = [SHARED_CORES] if cores.shared else []
    return [*shared, *(remark for name, trial in trials.items() for remark in on_trial(name, trial))]


def on_trial(name: str, trial: Tried) -> Iterator[str]:
    """On one trial."""
    if not trial.finished:
        yield UNFINISHED.format(name=name)
    if trial.strangers > MOST_STRANGERS:
        yield DISTURBED.format(name=name, share=trial.strangers)
