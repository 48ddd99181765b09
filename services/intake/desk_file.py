"""desk.yaml: what agents have at hand. Canned responses, templates for recurring issues, macros (N-3, N-5), and what
they are told of duplicates (M-5).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from libs.contracts.ticket_state import Scalar
from services.intake.domain.fields import Fields, FieldType, WrongField
from services.intake.domain.recipe import Recipe
from services.intake.domain.status import Statuses, UnknownStatus
from services.intake.domain.suspecting import DuplicateRules
from services.intake.domain.tags import normal
from services.intake.wording import Texts

DESK_FILE = "desk.yaml"

Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Labels = Annotated[dict[str, str], Field(min_length=1)]
TextByLanguage = Annotated[dict[str, str], Field(min_length=1)]


class Part(BaseModel):
    """A part of the file; unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @property
    def version(self) -> str:
        """Another one for every change."""
        return sha256(self.model_dump_json().encode()).hexdigest()[:12]


class ResponsePart(Part):
    """A canned response as written."""

    key: Key
    label: Labels
    queues: tuple[Key, ...] = ()
    text: TextByLanguage


class RecipePart(Part):
    """A template or a macro as written."""

    key: Key
    label: Labels
    queues: tuple[Key, ...] = ()
    subject: Annotated[str, StringConstraints(max_length=200)] | None = None
    priority: Literal["low", "medium", "high", "critical"] | None = None
    category: Key | None = None
    queue: Key | None = None
    assignee: Key | None = None
    custom: dict[str, Scalar | list[str] | None] = Field(default_factory=dict)
    tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    status: Key | None = None
    note: TextByLanguage | None = None
    response: Key | None = None
    lead_only: bool = False


class DuplicatesPart(Part):
    """What becomes of new tickets that may be there already, as written (behaviour M-5)."""

    suspect: bool = False
    merge_on: tuple[Key, ...] = ()


class DeskFile(Part):
    """The whole file."""

    duplicates: DuplicatesPart = DuplicatesPart()

    responses: tuple[ResponsePart, ...] = ()
    templates: tuple[RecipePart, ...] = ()
    macros: tuple[RecipePart, ...] = ()


@dataclass(frozen=True, slots=True)
class Response:
    """A canned response."""

    key: str
    version: str
    label: Mapping[str, str]
    queues: frozenset[str]
    text: Texts


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything at hand, by key. notes: of templates and macros, by their version."""

    responses: Mapping[str, Response] = field(default_factory=dict)
    templates: Mapping[str, Recipe] = field(default_factory=dict)
    macros: Mapping[str, Recipe] = field(default_factory=dict)
    notes: Mapping[str, Texts] = field(default_factory=dict)
    duplicates: DuplicateRules = field(default_factory=DuplicateRules)


def read_desk(document: Any, statuses: Statuses, fields: Fields) -> Prepared:
    """What a parsed desk.yaml prepares. ValueError names file, field and reason."""
    try:
        written = DeskFile.model_validate(document)
    except ValidationError as faults:
        first = faults.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{DESK_FILE}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    for kind in ("responses", "templates", "macros"):
        _once(kind, getattr(written, kind))
    responses = {part.key: _response(part) for part in written.responses}
    recipes: dict[str, dict[str, Recipe]] = {"templates": {}, "macros": {}}
    notes: dict[str, Texts] = {}
    for kind, found in recipes.items():
        for part in getattr(written, kind):
            where = f"{kind}.{part.key}"
            found[part.key] = _recipe(part, where, responses, statuses, fields)
            if part.note is not None:
                notes[part.version] = _texts(f"{where}.note", part.note)
    duplicates = _duplicates(written.duplicates, fields)
    return Prepared(responses, recipes["templates"], recipes["macros"], notes, duplicates)


def _duplicates(part: DuplicatesPart, fields: Fields) -> DuplicateRules:
    for key in part.merge_on:
        defined = fields.definitions.get(key)
        if defined is None or defined.type is not FieldType.TEXT:
            raise ValueError(f"{DESK_FILE}: duplicates.merge_on: {key!r} is no custom field that holds text")
        if key in fields.restricted:
            raise ValueError(f"{DESK_FILE}: duplicates.merge_on: {key!r} is not shown to everybody, a merge would be")
    if part.merge_on and not part.suspect:
        raise ValueError(f"{DESK_FILE}: duplicates.merge_on: nothing is compared without `suspect: true`")
    return DuplicateRules(part.suspect, part.merge_on)


def _response(part: ResponsePart) -> Response:
    text = _texts(f"responses.{part.key}.text", part.text)
    return Response(part.key, part.version, part.label, frozenset(part.queues), text)


def _recipe(
    part: RecipePart, where: str, responses: Mapping[str, Response], statuses: Statuses, fields: Fields
) -> Recipe:
    if part.response is not None and part.response not in responses:
        raise ValueError(f"{DESK_FILE}: {where}.response: there is no response {part.response!r}")
    try:
        fields.category(part.category)
        custom = fields.custom(part.custom, part.queue)
        status = None if part.status is None else statuses[part.status].key
    except (WrongField, UnknownStatus) as wrong:
        raise ValueError(f"{DESK_FILE}: {where}.{wrong}") from None
    named = {name: getattr(part, name) for name in ("subject", "priority", "category", "queue", "assignee")}
    return Recipe(
        key=part.key,
        version=part.version,
        label=part.label,
        queues=frozenset(part.queues),
        fields={name: value for name, value in named.items() if value is not None},
        custom=custom,
        add_tags=_tags(where, part.tags),
        remove_tags=_tags(where, part.remove_tags),
        status=status,
        response=part.response,
        note=part.note is not None,
        lead_only=part.lead_only,
    )


def _tags(where: str, tags: Iterable[str]) -> tuple[str, ...]:
    found = []
    for tag in tags:
        sound = normal(tag)
        if sound is None:
            raise ValueError(f"{DESK_FILE}: {where}.tags: {tag!r} is no tag")
        found.append(sound)
    return tuple(found)


def _texts(where: str, sources: Mapping[str, str]) -> Texts:
    try:
        return Texts(sources)
    except ValueError as fault:
        raise ValueError(f"{DESK_FILE}: {where}.{fault}") from None


def _once(kind: str, parts: Iterable[ResponsePart | RecipePart]) -> None:
    seen: set[str] = set()
    for part in parts:
        if part.key in seen:
            raise ValueError(f"{DESK_FILE}: {kind}: the key {part.key} is used twice")
        seen.add(part.key)
