"""Single metrics by one dimension, for dashboards and spreadsheets."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import Field

from services.reporting.domain.buckets import quantile
from services.reporting.domain.cube import Cube
from services.reporting.domain.shares import share
from services.reporting.domain.tally import RESOLUTION, RESPONSE
from services.reporting.review import Document


@dataclass(frozen=True, slots=True)
class Measure:
    """What a metric is read from. groups: names of groupings and the dimension each is kept in."""

    needs: tuple[str, ...]
    groups: dict[str, str]


BY_DAY = {"day": "day"}
BY_FIELDS = {**BY_DAY, "priority": "priority", "category": "category", "queue": "queue"}
MEASURES: dict[str, Measure] = {
    "created": Measure(("created",), {**BY_FIELDS, "channel": "detail"}),
    "tagged": Measure(("tagged",), {**BY_DAY, "tag": "detail"}),
    "resolved": Measure(("resolved",), {**BY_FIELDS, "agent": "agent"}),
    "reopened": Measure(("reopened",), {**BY_DAY, "queue": "queue"}),
    "merged": Measure(("merged",), BY_DAY),
    "unmerged": Measure(("unmerged",), BY_DAY),
    "assigned": Measure(("assigned",), {**BY_DAY, "agent": "agent"}),
    "replied": Measure(("replied",), {**BY_DAY, "agent": "agent"}),
    "routed": Measure(("routed",), {**BY_DAY, "reason": "detail", "queue": "queue"}),
    "noticed": Measure(("noticed",), {**BY_DAY, "kind": "detail"}),
    "warned": Measure(("warned",), {**BY_DAY, "metric": "detail"}),
    "thanks": Measure(("thanks",), BY_DAY),
    "rated": Measure(("rated",), {**BY_DAY, "score": "detail"}),
    "sla": Measure(("met", "breached"), {**BY_DAY, "metric": "detail", "priority": "priority"}),
    RESPONSE: Measure((RESPONSE, f"{RESPONSE}_ms"), {**BY_DAY, "priority": "priority"}),
    RESOLUTION: Measure((RESOLUTION, f"{RESOLUTION}_ms"), {**BY_DAY, "priority": "priority"}),
}


class Point(Document):
    """One group. What does not apply to the metric is null. Durations in seconds."""

    key: Annotated[str | None, Field(description="Value of the dimension; null: not set.")]
    n: int
    share: Annotated[float | None, Field(description="sla: met / (met + breached).")] = None
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None


class Series(Document):
    """A metric over some days, both included."""

    metric: str
    group: str
    start: date
    end: date
    items: list[Point]


def series(name: str, group: str, start: date, end: date, cube: Cube) -> Series:
    """Groups sorted by key; groups without anything are left out."""
    dimension = MEASURES[name].groups[group]
    counted = ("met", "breached") if name == "sla" else (name,)
    items = [_point(name, dimension, value, cube) for value in cube.values(dimension, *counted)]
    return Series(metric=name, group=group, start=start, end=end, items=items)


def _point(name: str, dimension: str, value: str, cube: Cube) -> Point:
    where = {dimension: value}
    if name == "sla":
        met, breached = cube.total("met", **where), cube.total("breached", **where)
        return Point(key=value or None, n=met + breached, share=share(met, met + breached))
    n = cube.total(name, **where)
    if name not in (RESPONSE, RESOLUTION):
        return Point(key=value or None, n=n)
    histogram = cube.histogram(name, **where)
    return Point(
        key=value or None,
        n=n,
        mean=cube.total(f"{name}_ms", **where) / 1000 / n if n else None,
        p50=quantile(histogram, 0.5),
        p90=quantile(histogram, 0.9),
    )
