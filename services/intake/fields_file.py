"""fields.yaml: custom fields, categories and what a ticket needs when it changes hands (behaviour N-2, N-4)."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import re2
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from services.intake.domain.fields import LONGEST_TEXT, Definition, Fields, FieldType, Rank, Required

FIELDS_FILE = "fields.yaml"
TOPIC = "topic"

FieldKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]
ChoiceKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Labels = Annotated[dict[str, str], Field(min_length=1)]


class Part(BaseModel):
    """A part of the file; unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldPart(Part):
    """One custom field as written."""

    key: FieldKey
    label: Labels
    type: FieldType
    required: Required = Required.NEVER
    queues: frozenset[str] = frozenset()
    choices: tuple[ChoiceKey, ...] = ()
    pattern: str | None = None
    max_length: int = Field(LONGEST_TEXT, ge=1, le=LONGEST_TEXT)
    minimum: float | None = None
    maximum: float | None = None
    personal: bool = False
    retired: bool = False
    see: Rank = Rank.AGENT
    change: Rank | None = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> "FieldPart":
        chooses = self.type in (FieldType.CHOICE, FieldType.CHOICES)
        if chooses is not bool(self.choices):
            raise ValueError(f"choices: {'are needed' if chooses else 'are'} for the types choice and choices")
        if self.pattern is not None:
            if self.type is not FieldType.TEXT:
                raise ValueError("pattern: is for the type text")
            _compiles(self.pattern)
        if self.type is not FieldType.NUMBER and (self.minimum is not None or self.maximum is not None):
            raise ValueError("minimum and maximum are for the type number")
        return self

    @model_validator(mode="after")
    def _rights_are_sound(self) -> "FieldPart":
        ranks = list(Rank)
        change = self.change or self.see
        if ranks.index(change) < ranks.index(self.see):
            raise ValueError(f"change: who may change it has to see it: {self.see} or above")
        if change is not Rank.AGENT and self.required is not Required.NEVER:
            raise ValueError("required: agents may not change it, and could not give it")
        if self.key == TOPIC and self.see is not Rank.AGENT:
            raise ValueError("see: the topic of a hand-off is shown to everybody")
        return self

    def definition(self) -> Definition:
        """As the domain knows it."""
        return Definition(
            key=self.key,
            type=self.type,
            label=self.label,
            required=self.required,
            queues=self.queues,
            choices=self.choices,
            pattern=self.pattern,
            longest=self.max_length,
            least=self.minimum,
            most=self.maximum,
            personal=self.personal,
            retired=self.retired,
            see=self.see,
            change=self.change or self.see,
        )


class CategoryPart(Part):
    """One category as written."""

    key: ChoiceKey
    label: Labels


class FieldsFile(Part):
    """The whole file."""

    fields: tuple[FieldPart, ...] = ()
    only_these_fields: bool = False
    categories: tuple[CategoryPart, ...] = ()
    only_these_categories: bool = False
    handoff_note: Literal["optional", "required"] = "optional"


def read_fields(document: Any) -> Fields:
    """The definitions of a parsed fields.yaml. ValueError names file, field and reason."""
    try:
        written = FieldsFile.model_validate(document)
    except ValidationError as faults:
        first = faults.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{FIELDS_FILE}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    _once("fields", (part.key for part in written.fields))
    _once("categories", (part.key for part in written.categories))
    return Fields(
        definitions={part.key: part.definition() for part in written.fields},
        only_defined=written.only_these_fields,
        categories={part.key: part.label for part in written.categories},
        only_categories=written.only_these_categories,
        handoff_note=written.handoff_note == "required",
    )


def _once(where: str, keys: Iterable[str]) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise ValueError(f"{FIELDS_FILE}: {where}: the key {key} is used twice")
        seen.add(key)


def _compiles(pattern: str) -> None:
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as fault:
        raise ValueError(f"pattern: {fault}") from None
