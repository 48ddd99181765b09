"""The written form of sla.yaml: policies in the order in which they are tried (behaviour L-2)."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from libs.conditions.fields import CUSTOM_PREFIX
from libs.conditions.tree import Condition, leaves
from libs.contracts.sla import Metric
from libs.contracts.ticket_state import Priority

MAX_HOURS = 10_000
QUEUE = "queue"
"""As a policy's schedule: the one of the ticket's queue (behaviour B-6)."""

READABLE = frozenset(
    {
        *("status", "status_category", "priority", "assignee", "queue", "category", "tags", "channel", "tier"),
        *("organisation", "language", "human_replies", "customer_messages", "routed", "spam"),
    }
)
"""Fields that a policy may ask about: the ones every ticket fact carries and that no passing of time changes."""

_TIME = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def seconds(written: object) -> object:
    """Seconds of "15m", "1h30m" or "48h"."""
    if not isinstance(written, str):
        raise ValueError('is not a time: write "15m", "1h30m" or "48h"')
    found = _TIME.fullmatch(written)
    if not found or not any(found.groups()):
        hint = "; days mean different hours to everybody, write hours" if written.endswith("d") else ""
        raise ValueError(f'{written!r} is not a time: write "15m", "1h30m" or "48h"{hint}')
    hours, minutes, rest = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + rest


class Written(BaseModel):
    """A part of the file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Allowance(Written):
    """Running time allowed for one metric: seconds, in the hours of the schedule or in time that never stops."""

    time: Annotated[int, BeforeValidator(seconds), Field(ge=1, le=MAX_HOURS * 3600)]
    mode: Literal["business", "calendar"] = "business"


def _time_alone(raw: object) -> object:
    return raw if isinstance(raw, dict) else {"time": raw}


Targets = dict[Metric, Annotated[Allowance, BeforeValidator(_time_alone)]]


def _asks_what_facts_carry(condition: Condition) -> Condition:
    for leaf in leaves(condition):
        if leaf.field not in READABLE and not leaf.field.startswith(CUSTOM_PREFIX):
            raise ValueError(f"a policy cannot ask about {leaf.field}; it can about {', '.join(sorted(READABLE))}")
    return condition


class Policy(Written):
    """One promise: whom it is for, on which hours it runs, how much time each priority has."""

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")
    name: str = Field("", max_length=200)
    when: Annotated[Condition, AfterValidator(_asks_what_facts_carry)] | None = None
    schedule: str | None = None
    targets: dict[Priority, Targets] = Field(min_length=1)


class Reopening(Written):
    """What a resolution clock gets when a ticket resolved in time is opened again (behaviour L-8)."""

    mode: Literal["resume", "restart", "grace"] = "grace"
    minimum: float = Field(0.25, ge=0, le=1)

    def allowed(self, target: int, ran: float) -> int:
        """Seconds for the new clock, when the ones before it ran for `ran` seconds of `target`."""
        if self.mode == "restart":
            return target
        floor = self.minimum * target if self.mode == "grace" else 0
        return int(max(target - ran, floor))


class Promises(Written):
    """sla.yaml as a whole."""

    default_priority: Priority = "medium"
    default_schedule: str
    warn_at: float = Field(0.8, gt=0, lt=1)
    reopen: Reopening = Reopening()
    calls_are_answered: tuple[str, ...] = Field(
        (), description="Channels on which an agent who opens a ticket has answered already (behaviour L-5)."
    )
    policies: tuple[Policy, ...] = Field(min_length=1)

    @field_validator("policies")
    @classmethod
    def _each_has_its_own_key(cls, policies: tuple[Policy, ...]) -> tuple[Policy, ...]:
        keys = [policy.key for policy in policies]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f"the key {key} is used twice")
        return policies

    @model_validator(mode="after")
    def _each_can_apply(self) -> Self:
        for policy in self.policies[:-1]:
            if policy.when is None:
                raise ValueError(f"policies: {policy.key} has no `when`, so the policies after it never apply")
        return self

    def schedules(self) -> list[tuple[str, str]]:
        """Every schedule that is named, with the field that names it."""
        own = [
            (f"policies.{place}.schedule", policy.schedule)
            for place, policy in enumerate(self.policies)
            if policy.schedule not in (None, QUEUE)
        ]
        return [("default_schedule", self.default_schedule), *((field, key) for field, key in own if key)]


def document(files: Any, name: str) -> Any:
    """The parsed file of that name. ValueError when it is not there."""
    if name not in files:
        raise ValueError(f"{name}: the file is missing")
    return files[name]
