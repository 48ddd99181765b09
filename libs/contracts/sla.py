"""What sla says about clocks, on `sla.<partition>.<event>`. Another program can recompute every one of them."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from libs.contracts.event import About, Event, Payload, Speaker, event


class Metric(StrEnum):
    """What a clock measures (behaviour L-5, L-7, L-8)."""

    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"


class TargetState(StrEnum):
    """State of one clock. `none`: no policy applies."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    CANCELLED = "cancelled"
    NONE = "none"


class Outcome(StrEnum):
    """Verdict on one clock; a breach is recorded at its deadline (behaviour L-10)."""

    MET = "met"
    BREACHED = "breached"


class Target(Payload):
    """One clock's promise."""

    metric: Metric = Field(description="What it measures.")
    instance: int = Field(ge=1, description="1, 2, ... for repeated clocks of a metric.")
    state: TargetState = Field(description="State when said.")
    deadline: datetime | None = Field(None, description="UTC; unset while paused or without a policy.")
    warn_at: datetime | None = Field(None, description="When 80 % of the target will have run, UTC (W-1).")
    target_seconds: int | None = Field(None, ge=0, description="Running time allowed, seconds.")


@event("sla.targets-set", speaker=Speaker.SLA, about=About.TICKET)
class TargetsSet(Event):
    """All open clocks of a ticket, whenever one of them changed. Replaces what was said before for the same clocks."""

    targets: tuple[Target, ...] = Field(description="Every clock that is not decided, or is decided just now.")
    policy: str | None = Field(None, description="Key of the policy in force; unset when none applies.")
    schedule: str | None = Field(None, description="Key of the schedule the clocks run on (behaviour B-6).")
    final: bool = Field(description="Said for the first time after routing, or 60 s after opening (decisions 11).")


@event("sla.warned", speaker=Speaker.SLA, about=About.TICKET)
class SlaWarned(Event):
    """A share of the target has run without an answer. Once per (ticket, metric, instance, threshold) (W-3)."""

    metric: Metric = Field(description="Which clock.")
    instance: int = Field(ge=1, description="Which instance of it.")
    threshold: float = Field(gt=0, lt=1, description="Share of the target, e.g. 0.8.")
    scheduled_for: datetime = Field(description="The exact warning instant, UTC; ce-time is when it was said (L-11).")
    deadline: datetime = Field(description="The deadline it warns of, UTC.")


@event("sla.decided", speaker=Speaker.SLA, about=About.TICKET)
class SlaDecided(Event):
    """A clock's verdict. `at` is the answer's instant for met, the deadline for breached (behaviour L-10)."""

    metric: Metric = Field(description="Which clock.")
    instance: int = Field(ge=1, description="Which instance of it.")
    outcome: Outcome = Field(description="Verdict.")
    at: datetime = Field(description="Instant of the verdict, UTC.")
    deadline: datetime = Field(description="Deadline it was judged by, UTC.")
    cause: str = Field(description="answered, resolved, deadline_passed or policy_change.")
    breached_on_change: bool = Field(False, description="The target shrank below what had run already (L-4).")
    priority: str | None = Field(None, description="Priority at the verdict.")
    running_seconds: float = Field(ge=0, description="Time the clock ran, seconds.")
    calendar_seconds: float = Field(ge=0, description="Time since its start, seconds.")


@event("sla.corrected", speaker=Speaker.SLA, about=About.TICKET)
class SlaCorrected(Event):
    """A fact that was heard late changes a verdict (decisions 13)."""

    metric: Metric = Field(description="Which clock.")
    instance: int = Field(ge=1, description="Which instance of it.")
    old: Outcome = Field(description="Verdict said before.")
    new: Outcome = Field(description="Verdict that holds; the old one when it was withdrawn.")
    withdrawn: bool = Field(
        False, description="No verdict after all: the clock goes on, what decides it later is a `corrected` again."
    )
    at: datetime = Field(description="Instant of the new verdict, UTC.")
    deadline: datetime = Field(description="Deadline it was judged by, UTC.")
    running_seconds: float = Field(ge=0, description="Time the clock ran, seconds.")
    calendar_seconds: float = Field(ge=0, description="Time since its start, seconds.")
