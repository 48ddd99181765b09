"""What the chassis tells Prometheus. Labels are few and closed: never an id, an address or a free text."""

from dataclasses import dataclass, field

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
)

AGES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400)
DURATIONS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LAGS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)


def process_registry() -> CollectorRegistry:
    """A new registry with the process, the interpreter and its garbage collector."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class BacklogMetrics:
    """What waits for the service. A consumer is a durable, e.g. `sla-0`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.pending = Gauge(
            "signalbox_consumer_pending_messages",
            "Messages of the stream that the consumer has not been given yet",
            ["consumer"],
            registry=registry,
        )
        self.ack_pending = Gauge(
            "signalbox_consumer_ack_pending_messages",
            "Messages given to the consumer and not acknowledged yet",
            ["consumer"],
            registry=registry,
        )
        self.redelivered = Gauge(
            "signalbox_consumer_redelivered_messages",
            "Messages in delivery that were given more than once",
            ["consumer"],
            registry=registry,
        )
        self.held = Gauge("signalbox_held_messages", "Messages that wait for a gap to close", registry=registry)
        self.parked = Gauge(
            "signalbox_parked_messages", "Messages that could not be handled and wait for a person", registry=registry
        )


class ConsumerMetrics:
    """What became of what arrived. An event's age may be observed with an exemplar, {"trace_id": …}."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.event_age = Histogram(
            "signalbox_event_age_seconds",
            "Age of an event when it was handled: from its ce-time to the commit",
            ["speaker"],
            buckets=AGES,
            registry=registry,
        )
        self.events = Counter(
            "signalbox_heard_events_total",
            "Events by what became of them: applied, ignored (heard before), held (a gap before it), parked",
            ["speaker", "outcome"],
            registry=registry,
        )
        self.batch_size = Histogram(
            "signalbox_batch_messages", "Messages in one transaction", buckets=SIZES, registry=registry
        )
        self.batch_duration = Histogram(
            "signalbox_batch_duration_seconds",
            "Time to handle one batch, from fetched to committed",
            buckets=DURATIONS,
            registry=registry,
        )
        self.batch_retries = Counter(
            "signalbox_batch_retries_total",
            "Batches tried again: trouble of the database or the broker, or message by message",
            ["reason"],
            registry=registry,
        )
        self.repaired = Counter(
            "signalbox_repaired_events_total",
            "Events that the stream did not bring and repair fetched from their speaker",
            ["speaker"],
            registry=registry,
        )


class SpeakerMetrics:
    """The outbox and what went out of it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.unpublished = Gauge(
            "signalbox_outbox_unpublished_events", "Events committed and not published yet", registry=registry
        )
        self.oldest = Gauge(
            "signalbox_outbox_oldest_seconds", "Age of the oldest event not published yet, else 0", registry=registry
        )
        self.published = Counter(
            "signalbox_published_events_total", "Events whose publication the broker confirmed", registry=registry
        )
        self.publish_failures = Counter(
            "signalbox_publish_failures_total",
            "Publications that the broker did not confirm; they are tried again",
            registry=registry,
        )
        self.permission_violations = Counter(
            "signalbox_broker_permission_violations_total",
            "Times the broker refused a subject to this service",
            registry=registry,
        )


class TimerMetrics:
    """Deadlines and what holds them up."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.due = Gauge("signalbox_timers_due", "Timers that are due and have not fired", registry=registry)
        self.lag = Histogram(
            "signalbox_timer_lag_seconds",
            "Time from when a timer was due to when it fired",
            ["kind"],
            buckets=LAGS,
            registry=registry,
        )
        self.lease_held = Gauge(
            "signalbox_lease_held", "1 while this process holds the lease, else 0", ["lease"], registry=registry
        )


class HttpMetrics:
    """Requests by the template of their route; paths that nothing matches share one label."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "signalbox_http_requests_total", "Requests answered", ["method", "route", "status"], registry=registry
        )
        self.duration = Histogram(
            "signalbox_http_request_duration_seconds",
            "Time from the head of a request to the end of its response",
            ["method", "route"],
            buckets=DURATIONS,
            registry=registry,
        )


@dataclass
class Metrics:
    """All metrics of one process in a registry of its own, so that tests can have several.

    A service adds its own to `registry`; names are `signalbox_<thing>_<unit>`, counters end in `_total`.
    Every label is one of a closed set.
    """

    service: str
    version: str
    registry: CollectorRegistry = field(default_factory=process_registry)

    def __post_init__(self) -> None:
        self.backlog = BacklogMetrics(self.registry)
        self.consumer = ConsumerMetrics(self.registry)
        self.speaker = SpeakerMetrics(self.registry)
        self.timers = TimerMetrics(self.registry)
        self.http = HttpMetrics(self.registry)
        self.build = Info("signalbox_build", "Which service this is, in which version", registry=self.registry)
        self.build.info({"service": self.service, "version": self.version})
