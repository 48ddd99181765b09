"""What a ticket can have: custom fields, categories, statuses (behaviour N-4, S-1)."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.intake.api.asking import AgentOrAbove, Parts
from services.intake.configuration import IntakeConfiguration
from services.intake.domain.fields import Definition, FieldType, Rank, Required
from services.intake.domain.status import Status, Statuses

router = APIRouter(prefix="/v1", tags=["fields"])

Labels = dict[str, str]


class FieldAnswer(BaseModel):
    """A custom field. `personal`: its values are in no fact; `retired`: takes no new values."""

    key: str
    type: FieldType
    label: Labels
    required: Required
    queues: list[str] = Field(description="Where it belongs; empty for everywhere")
    choices: list[str]
    pattern: str | None
    max_length: int
    minimum: float | None
    maximum: float | None
    personal: bool
    retired: bool
    see: Rank = Field(description="The least role that may see it; its values are in no fact unless all may")
    change: Rank = Field(description="The least role that may change it")


class CategoryAnswer(BaseModel):
    """A category that people choose from."""

    key: str
    label: Labels


class StatusAnswer(BaseModel):
    """A status, and where it leads."""

    key: str
    label: Labels
    category: str
    default: bool
    counts: bool = Field(description="Whether it counts toward its agent's capacity")
    allowed: list[str] = Field(description="Statuses it may change to")


class FieldsAnswer(BaseModel):
    """Everything that is configured about a ticket's fields."""

    fields: list[FieldAnswer]
    only_these_fields: bool
    categories: list[CategoryAnswer]
    only_these_categories: bool
    handoff_note: bool = Field(description="Whether a change of queues needs one")
    statuses: list[StatusAnswer]


@router.get("/fields")
async def list_fields(caller: AgentOrAbove, parts: Parts) -> FieldsAnswer:
    """Custom fields, categories and statuses as configured, for forms."""
    configuration: IntakeConfiguration = parts.configuration.current.parsed
    fields, statuses = configuration.fields, configuration.statuses
    return FieldsAnswer(
        fields=[_field(each) for each in fields.definitions.values()],
        only_these_fields=fields.only_defined,
        categories=[CategoryAnswer(key=key, label=dict(label)) for key, label in fields.categories.items()],
        only_these_categories=fields.only_categories,
        handoff_note=fields.handoff_note,
        statuses=[_status(each, statuses) for each in statuses.all],
    )


def _field(each: Definition) -> FieldAnswer:
    return FieldAnswer(
        key=each.key,
        type=each.type,
        label=dict(each.label),
        required=each.required,
        queues=sorted(each.queues),
        choices=list(each.choices),
        pattern=each.pattern,
        max_length=each.longest,
        minimum=each.least,
        maximum=each.most,
        personal=each.personal,
        retired=each.retired,
        see=each.see,
        change=each.change,
    )


def _status(each: Status, statuses: Statuses) -> StatusAnswer:
    return StatusAnswer(
        key=each.key,
        label=dict(each.label),
        category=each.category,
        default=statuses.default(each.category) is each,
        counts=each.counts,
        allowed=statuses.allowed(each),
    )
