"""Writes a review from the numbers of its period. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.reporting.configuration import Limits
from services.reporting.domain.contribution import REOPENED_WITHIN
from services.reporting.domain.cube import Cube
from services.reporting.domain.period import Period
from services.reporting.domain.shares import greatest_to_median, jain, share
from services.reporting.domain.tally import RESOLUTION, RESPONSE
from services.reporting.parts import BREACHED, MET, certainty, compliance, duration_table, durations, in_order
from services.reporting.review import (
    Before,
    Load,
    Outlier,
    Reopening,
    Review,
    Satisfaction,
    Sla,
    Slice,
    Spread,
    StateCount,
    Tickets,
    Volume,
    Workload,
)

WORKED_ON = ("open", "pending", "on_hold")


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a review is written from. agents: name and whether active, by key. before: cubes of the periods before."""

    period: Period
    cube: Cube
    standing: Cube
    agents: Mapping[str, tuple[str | None, bool]]
    before: Sequence[tuple[Period, Cube]]
    outliers: Sequence[Outlier]


def write_review(numbers: Numbers, limits: Limits, now: datetime) -> Review:
    """The review as of `now`."""
    period, cube = numbers.period, numbers.cube
    sla = _sla(cube, limits)
    reopening = _reopening(cube, period, limits, now)
    workload = _workload(numbers, limits)
    return Review(
        period=period.name,
        grain=period.grain,
        start=period.start,
        end=period.end,
        as_of=now,
        complete=now >= period.ends_at,
        tickets=_tickets(cube, numbers.standing),
        first_response=duration_table(cube, RESPONSE),
        resolution=duration_table(cube, RESOLUTION),
        sla=sla,
        volume=_volume(cube),
        reopening=reopening,
        workload=workload,
        satisfaction=_satisfaction(cube),
        outliers=list(numbers.outliers),
        trend=[_before(earlier, earlier_cube, limits, now) for earlier, earlier_cube in numbers.before],
        highlights=_highlights(sla, reopening, workload, limits),
    )


def _tickets(cube: Cube, standing: Cube) -> Tickets:
    states = [(*state.partition(":")[::2], n) for state, n in standing.by("detail", "standing").items()]
    open_states = [f"{category}:{status}" for category, status, _ in states if category in WORKED_ON]
    return Tickets(
        created=cube.total("created"),
        resolved=cube.total("resolved"),
        reopened=cube.total("reopened"),
        open_now=sum(standing.total("standing", detail=state) for state in open_states),
        by_state=[StateCount(category=category, status=status, tickets=n) for category, status, n in states],
        open_by_priority=_open_by("priority", standing, open_states),
        open_by_queue=_open_by("queue", standing, open_states),
    )


def _open_by(dimension: str, standing: Cube, states: Sequence[str]) -> dict[str, int]:
    summed: dict[str, int] = {}
    for state in states:
        for value, n in standing.by(dimension, "standing", detail=state).items():
            summed[value] = summed.get(value, 0) + n
    return dict(sorted(summed.items()))


def _sla(cube: Cube, limits: Limits) -> Sla:
    metrics = cube.values("detail", MET, BREACHED)
    pairs = [
        (metric, priority)
        for metric in metrics
        for priority in in_order(
            sorted({*cube.by("priority", MET, detail=metric), *cube.by("priority", BREACHED, detail=metric)})
        )
    ]
    return Sla(
        overall=compliance(cube, limits),
        by_metric=[compliance(cube, limits, metric) for metric in metrics],
        by_metric_and_priority=[compliance(cube, limits, metric, priority) for metric, priority in pairs],
    )


def _volume(cube: Cube) -> Volume:
    total = cube.total("created")
    return Volume(
        total=total,
        by_category=_slices(cube.by("category", "created"), total),
        by_channel=_slices(cube.by("detail", "created"), total),
        by_tag=_slices(cube.by("detail", "tagged"), total),
    )


def _slices(counts: Mapping[str, int], total: int) -> list[Slice]:
    largest_first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Slice(key=key or None, tickets=n, share=n / total if total else 0) for key, n in largest_first]


def _reopening(cube: Cube, period: Period, limits: Limits, now: datetime) -> Reopening:
    resolved = cube.total("solved_tickets", detail=period.grain)
    reopened = cube.total("reopened_tickets", detail=period.grain)
    rate = share(reopened, resolved)
    return Reopening(
        resolved=resolved,
        reopened=reopened,
        rate=rate,
        certainty=certainty(reopened, resolved),
        matured=now >= period.ends_at + REOPENED_WITHIN,
        highlighted=rate is not None and rate > limits.reopened_above,
    )


def _workload(numbers: Numbers, limits: Limits) -> Workload:
    cube, standing = numbers.cube, numbers.standing
    states = [state for state in standing.by("detail", "standing") if state.partition(":")[0] in WORKED_ON]
    open_now = _open_by("agent", standing, states)
    measures = {measure: cube.by("agent", measure) for measure in ("assigned", "replied", "resolved")}
    active = {key for key, (_, is_active) in numbers.agents.items() if is_active}
    keys = sorted(active.union(open_now, *measures.values()) - {""})
    loads = [
        Load(
            agent=key,
            name=numbers.agents.get(key, (None, False))[0],
            open_now=open_now.get(key, 0),
            assigned=measures["assigned"].get(key, 0),
            replies=measures["replied"].get(key, 0),
            resolved=measures["resolved"].get(key, 0),
        )
        for key in keys
    ]
    return Workload(
        agents=loads,
        open_now=_spread([load.open_now for load in loads], limits),
        assigned=_spread([load.assigned for load in loads], limits),
    )


def _spread(loads: Sequence[int], limits: Limits) -> Spread:
    fairness, ratio = jain(loads), greatest_to_median(loads)
    uneven = fairness is not None and fairness < limits.fairness_below
    return Spread(
        jain=fairness,
        greatest_to_median=ratio,
        highlighted=uneven or (ratio is not None and ratio > limits.load_above_median),
    )


def _satisfaction(cube: Cube) -> Satisfaction:
    rated = cube.total("rated")
    satisfied = cube.total("rated", detail="4") + cube.total("rated", detail="5")
    return Satisfaction(
        rated=rated, satisfied=satisfied, share=share(satisfied, rated), certainty=certainty(satisfied, rated)
    )


def _before(period: Period, cube: Cube, limits: Limits, now: datetime) -> Before:
    return Before(
        period=period.name,
        created=cube.total("created"),
        resolved=cube.total("resolved"),
        compliance=compliance(cube, limits).compliance,
        reopen_rate=_reopening(cube, period, limits, now).rate,
        first_response_p50=durations(cube, RESPONSE).p50,
    )


def _highlights(sla: Sla, reopening: Reopening, workload: Workload, limits: Limits) -> list[str]:
    found = [
        f"SLA compliance of {row.metric or 'all'}: {row.compliance:.1%} of {row.met + row.breached}, "
        f"below {limits.compliance_below:.0%}"
        for row in (sla.overall, *sla.by_metric)
        if row.highlighted
    ]
    if reopening.highlighted:
        found.append(f"reopened: {reopening.rate:.1%} of {reopening.resolved}, above {limits.reopened_above:.0%}")
    if workload.open_now.highlighted:
        found.append("open tickets are spread unevenly over agents")
    return found


def trend_periods(period: Period, count: int = 4) -> list[Period]:
    """The periods before, newest first."""
    found: list[Period] = []
    for _ in range(count):
        period = period.before
        found.append(period)
    return found
