"""The reviews as documents: every number with how many it was made of. Durations are in seconds, shares 0 to 1."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.reporting.domain.period import Grain


class Document(BaseModel):
    """A part of a report."""

    model_config = ConfigDict(frozen=True)


class Certainty(Document):
    """The 95 % interval of a share (Wilson): the fewer cases, the wider."""

    low: float
    high: float


class StateCount(Document):
    """Tickets in one status."""

    status: str
    category: Annotated[str, Field(description="Category of the status: open, pending, on_hold, resolved, closed.")]
    tickets: int


class Tickets(Document):
    """Volume of the period, and where all tickets stand now."""

    created: int
    resolved: Annotated[int, Field(description="Tickets whose last resolution is in the period and holds.")]
    reopened: Annotated[int, Field(description="Times that a resolved ticket became work again.")]
    open_now: Annotated[int, Field(description="Open, pending and on hold, at `as_of`.")]
    by_state: Annotated[list[StateCount], Field(description="All tickets by state, at `as_of`.")]
    open_by_priority: Annotated[dict[str, int], Field(description="Without priority: empty text.")]
    open_by_queue: dict[str, int]


class Durations(Document):
    """How long something took. Quantiles are within 1 %; the mean is exact."""

    priority: Annotated[str | None, Field(description="null: tickets without priority.")] = None
    n: int
    mean: float | None
    p50: float | None
    p90: float | None
    p95: float | None


class DurationTable(Document):
    """Durations of the period: of all, and by the priority the ticket had then."""

    overall: Durations
    by_priority: list[Durations]


class Compliance(Document):
    """met / (met + breached), over verdicts whose deadline is in the period (behaviour Q-4)."""

    metric: Annotated[str | None, Field(description="null: all metrics.")] = None
    priority: Annotated[str | None, Field(description="null: all, or no priority.")] = None
    met: int
    breached: int
    breached_on_change: Annotated[int, Field(description="Of those, because the target shrank (behaviour L-4).")]
    compliance: float | None
    certainty: Certainty | None
    highlighted: bool


class Sla(Document):
    """SLA compliance."""

    overall: Compliance
    by_metric: list[Compliance]
    by_metric_and_priority: list[Compliance]


class Slice(Document):
    """A part of the volume."""

    key: Annotated[str | None, Field(description="null: untagged, or without category.")]
    tickets: int
    share: float


class Volume(Document):
    """Tickets created, merged and removed ones left out (behaviour Q-6)."""

    total: int
    by_category: list[Slice]
    by_channel: list[Slice]
    by_tag: list[Slice]
    tag_mode: Annotated[
        Literal["full"], Field(description="A ticket with several tags counts in full for each, once in the total.")
    ] = "full"


class Reopening(Document):
    """Distinct tickets resolved in the period, and those of them reopened within 7 days (behaviour Q-5)."""

    resolved: int
    reopened: int
    rate: float | None
    certainty: Certainty | None
    matured: Annotated[bool, Field(description="Whether 7 days have passed since the period; before, it may rise.")]
    highlighted: bool


class Load(Document):
    """What one agent carries (behaviour Q-7): several numbers, never a ranking."""

    agent: str
    name: str | None
    open_now: int
    assigned: int
    replies: int
    resolved: int


class Spread(Document):
    """How evenly a load is spread over agents, idle ones included."""

    jain: Annotated[float | None, Field(description="1: all carry the same; 1/n: one carries all.")]
    greatest_to_median: float | None
    highlighted: bool


class Workload(Document):
    """Work by agent, and how evenly it is spread. Hours worked are not known here: part time looks idle."""

    agents: list[Load]
    open_now: Spread
    assigned: Spread


class Satisfaction(Document):
    """Ratings given in the period: 4 and 5 of 5 count as satisfied."""

    rated: int
    satisfied: int
    share: float | None
    certainty: Certainty | None


class Outlier(Document):
    """A ticket that took far longer than others to resolve."""

    ticket: str
    priority: str | None
    seconds: float


class Before(Document):
    """One of the periods before, for the trend."""

    period: str
    created: int
    resolved: int
    compliance: float | None
    reopen_rate: float | None
    first_response_p50: float | None


class Review(Document):
    """A week, month or quarter of support. Days are UTC."""

    period: str
    grain: Grain
    start: date
    end: Annotated[date, Field(description="The day after the last.")]
    as_of: datetime
    complete: Annotated[bool, Field(description="Whether the period is over.")]
    tickets: Tickets
    first_response: DurationTable
    resolution: DurationTable
    sla: Sla
    volume: Volume
    reopening: Reopening
    workload: Workload
    satisfaction: Satisfaction
    outliers: Annotated[list[Outlier], Field(description="Longer than p75 + 3 IQR of the logarithms; the 20 longest.")]
    trend: Annotated[list[Before], Field(description="The four periods before, newest first.")]
    highlights: Annotated[list[str], Field(description="What is beyond a limit of reporting.yaml, in words.")]
