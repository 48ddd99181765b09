"""The deadline that comes next."""

from collections.abc import Iterable
from datetime import datetime

from libs.contracts.sla import Target, TargetState


def next_deadline(targets: Iterable[Target]) -> datetime | None:
    """The earliest deadline of a clock that runs; None while none runs (behaviour V-4)."""
    running = (target.deadline for target in targets if target.state is TargetState.RUNNING)
    return min((deadline for deadline in running if deadline is not None), default=None)
