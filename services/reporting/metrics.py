"""What reporting tells Prometheus. Labels are configured keys only: never an id, an agent or a free tag.

Prometheus cannot take back: a verdict that is corrected stays counted here. Reports come from PostgreSQL, alerts from
these.
"""

from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.registry import Collector

from services.reporting.added import Added
from services.reporting.domain.cube import Cube
from services.reporting.domain.tally import RESPONSE, Tally

RESPONSE_TARGETS = (300, 900, 1800, 3600, 7200, 14400, 28800, 86400)
RESOLUTION_TARGETS = (7200, 28800, 86400, 172800)
VERDICTS = frozenset({"met", "breached"})


class StandingGauges:
    """How much work there is: measured by one replica, which the others leave it to."""

    def __init__(self) -> None:
        self.open = Gauge(
            "signalbox_tickets_open",
            "Tickets that are open, pending or on hold",
            ["queue", "priority", "status"],
            registry=None,
        )
        self.unassigned = Gauge(
            "signalbox_tickets_unassigned", "Tickets worked on by nobody", ["priority"], registry=None
        )
        self.oldest = Gauge(
            "signalbox_oldest_unassigned_seconds", "Age of the oldest such ticket", ["priority"], registry=None
        )

    @property
    def collectors(self) -> tuple[Gauge, ...]:
        return self.open, self.unassigned, self.oldest

    def measure(self, standing: Cube, unassigned: Mapping[str, tuple[int, datetime | None]], now: datetime) -> None:
        """Set the gauges to what PostgreSQL says; what is gone is shown no more."""
        self.forget()
        for (queue, priority, state), n in _open(standing).items():
            self.open.labels(queue or "none", priority or "none", state).set(n)
        for priority, (n, oldest) in unassigned.items():
            self.unassigned.labels(priority or "none").set(n)
            age = (now - oldest).total_seconds() if oldest is not None else 0.0
            self.oldest.labels(priority or "none").set(max(age, 0.0))

    def forget(self) -> None:
        """Show no gauges: another replica does."""
        for gauge in self.collectors:
            gauge.clear()


class ReportingMetrics:
    """Made unregistered, because the process that owns the registry is made later."""

    def __init__(self) -> None:
        self.is_shown = False
        self.standing = StandingGauges()
        self.created = Counter(
            "signalbox_tickets_created_total", "Tickets that were opened", ["channel"], registry=None
        )
        self.reopened = Counter(
            "signalbox_tickets_reopened_total", "Times a resolved ticket became work again", ["queue"], registry=None
        )
        self.verdicts = Counter(
            "signalbox_sla_verdicts_total",
            "Verdicts of SLA clocks, as they were said",
            ["metric", "priority", "verdict"],
            registry=None,
        )
        self.first_response = Histogram(
            "signalbox_first_response_seconds",
            "From creation to the first public message of a human agent; buckets at the targets",
            ["priority"],
            buckets=RESPONSE_TARGETS,
            registry=None,
        )
        self.resolution = Histogram(
            "signalbox_resolution_seconds",
            "From creation to the last resolution; buckets at the targets",
            ["priority"],
            buckets=RESOLUTION_TARGETS,
            registry=None,
        )
        self.drift = Gauge(
            "signalbox_reporting_rollup_drift",
            "Tallies that the last rebuild found to differ from those in force",
            registry=None,
        )

    @property
    def collectors(self) -> tuple[Collector, ...]:
        return (
            *self.standing.collectors,
            self.created,
            self.reopened,
            self.verdicts,
            self.first_response,
            self.resolution,
            self.drift,
        )

    def register(self, registry: CollectorRegistry) -> None:
        """Show them where the process shows its own."""
        self.is_shown = True
        for collector in self.collectors:
            registry.register(collector)

    def count(self, added: Added) -> None:
        """What a batch of facts added; what it took back is left out."""
        for tally, n in added.tallies.items():
            if n > 0:
                self._count(tally, n)
        for measure, priority, seconds in added.durations:
            histogram = self.first_response if measure == RESPONSE else self.resolution
            histogram.labels(priority or "none").observe(seconds)

    def _count(self, tally: Tally, n: int) -> None:
        if tally.measure in VERDICTS:
            self.verdicts.labels(tally.detail, tally.priority or "none", tally.measure).inc(n)
        elif tally.measure == "opened":
            self.created.labels(tally.detail).inc(n)
        elif tally.measure == "reopened":
            self.reopened.labels(tally.queue or "none").inc(n)


def _open(standing: Cube) -> dict[tuple[str, str, str], int]:
    """Open tickets by queue, priority and status."""
    found: dict[tuple[str, str, str], int] = {}
    for state in standing.by("detail", "standing"):
        category, _, status = state.partition(":")
        if category not in ("open", "pending", "on_hold"):
            continue
        for queue in standing.by("queue", "standing", detail=state):
            for priority, n in standing.by("priority", "standing", detail=state, queue=queue).items():
                found[queue, priority, status] = n
    return found
