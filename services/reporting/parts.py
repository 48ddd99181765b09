"""The parts that every review and series has: durations and compliance, with how certain they are. Pure."""

from collections.abc import Sequence

from services.reporting.configuration import Limits
from services.reporting.domain.buckets import quantile
from services.reporting.domain.cube import Cube
from services.reporting.domain.shares import share, wilson
from services.reporting.domain.tally import RESOLUTION
from services.reporting.review import Certainty, Compliance, Durations, DurationTable

PRIORITIES = ("critical", "high", "medium", "low", "")
MET, BREACHED = "met", "breached"


def durations(cube: Cube, measure: str, priority: str | None = None) -> Durations:
    """Of one priority ("" for none), or of all (None)."""
    where = {} if priority is None else {"priority": priority}
    histogram = cube.histogram(measure, **where)
    n = sum(histogram.values())
    return Durations(
        priority=priority or None,
        n=n,
        mean=cube.total(f"{measure}_ms", **where) / 1000 / n if n else None,
        p50=quantile(histogram, 0.50),
        p90=quantile(histogram, 0.90),
        p95=quantile(histogram, 0.95),
    )


def duration_table(cube: Cube, measure: str) -> DurationTable:
    """Of all, and by priority, critical first."""
    found = cube.values("priority", measure)
    rows = [durations(cube, measure, priority) for priority in in_order(found)]
    return DurationTable(overall=durations(cube, measure), by_priority=rows)


def compliance(cube: Cube, limits: Limits, metric: str | None = None, priority: str | None = None) -> Compliance:
    """Of all verdicts, of a metric, or of a metric and a priority ("" for none)."""
    where = {name: value for name, value in (("detail", metric), ("priority", priority)) if value is not None}
    met, breached = cube.total(MET, **where), cube.total(BREACHED, **where)
    value = share(met, met + breached)
    return Compliance(
        metric=metric,
        priority=priority or None,
        met=met,
        breached=breached,
        breached_on_change=cube.total("breached_on_change", **where),
        compliance=value,
        certainty=certainty(met, met + breached),
        highlighted=value is not None and value < limits.compliance_below,
    )


def outlier_threshold(cube: Cube) -> float | None:
    """Seconds beyond which a resolution is an outlier: p75 + 3 IQR of the logarithms; None of fewer than 8."""
    histogram = cube.histogram(RESOLUTION)
    lower, upper = quantile(histogram, 0.25), quantile(histogram, 0.75)
    if lower is None or upper is None or sum(histogram.values()) < 8:
        return None
    ratio: float = (upper / lower) ** 3
    return upper * ratio


def certainty(part: int, whole: int) -> Certainty | None:
    """The 95 % interval; None of nothing."""
    interval = wilson(part, whole)
    return None if interval is None else Certainty(low=interval[0], high=interval[1])


def in_order(priorities: Sequence[str]) -> list[str]:
    """Critical first, then those nobody knows."""
    known = [priority for priority in PRIORITIES if priority in priorities]
    return known + [priority for priority in priorities if priority not in PRIORITIES]
