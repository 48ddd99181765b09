"""JSON Schemas of everything that is said, generated from the models and kept beside them.

`schemas/<type>.json` is what the models say now. `schemas/released/<type>/<number>.json` is what has been promised:
snapshots that are only ever added to; compatibility is judged against all of them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from libs.contracts.catalogue import CATALOGUE
from libs.contracts.event import Payload
from libs.contracts.ticket_state import TicketState

Schema = dict[str, Any]

SCHEMAS = Path(__file__).parent / "schemas"
RELEASED = SCHEMAS / "released"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
TICKET_STATE = "signalbox.ticket-state.v1"
"""Name of the schema of the header `ticket`, once it is decoded."""

DESCRIBED: Mapping[str, type[Payload]] = {**CATALOGUE, TICKET_STATE: TicketState}
"""Every model that has a schema of its own, by type."""


class Untitled(GenerateJsonSchema):
    """Schemas without a title for every field: it would only repeat the field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema_id(type_: str) -> str:
    """The stable `$id` of a type's schema; publishers may send it as ce-dataschema."""
    return f"urn:signalbox:schema:{type_}"


def schema_of(type_: str) -> Schema:
    """The JSON Schema (draft 2020-12) of the data of a type. LookupError for a type that does not exist."""
    body = DESCRIBED[type_].model_json_schema(mode="validation", schema_generator=Untitled)
    return {"$schema": DIALECT, "$id": schema_id(type_), **body, "title": type_}


def written(document: object) -> str:
    """The one text form of a generated document: keys in order of the models, two spaces, a newline at the end."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def schema_files() -> dict[str, str]:
    """Every current schema as the text of its file, by file name."""
    return {f"{type_}.json": written(schema_of(type_)) for type_ in sorted(DESCRIBED)}


def write_schemas(folder: Path = SCHEMAS) -> list[Path]:
    """Write every current schema into a folder; schemas of types that are no more are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {folder / name: text for name, text in schema_files().items()}
    for stale in set(folder.glob("signalbox.*.json")) - set(files):
        stale.unlink()
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    return list(files)


def released_schemas(type_: str, folder: Path = RELEASED) -> list[Schema]:
    """All snapshots of a type, oldest first."""
    paths = sorted((folder / type_).glob("*.json"), key=lambda path: int(path.stem))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def release(folder: Path = RELEASED) -> list[Path]:
    """Promise the current schemas: add a snapshot of every one that differs from its last. Answers what was added.

    A change of words alone (descriptions, titles) is no new promise.
    """
    return [path for type_ in sorted(DESCRIBED) if (path := _release(type_, folder)) is not None]


def _release(type_: str, folder: Path) -> Path | None:
    snapshots, current = released_schemas(type_, folder), schema_of(type_)
    if snapshots and _without_words(snapshots[-1]) == _without_words(current):
        return None
    path = folder / type_ / f"{len(snapshots) + 1}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(written(current), encoding="utf-8")
    return path


def _without_words(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_words(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_words(value)
        for key, value in schema.items()
        if not (key in ("description", "title") and isinstance(value, str))
    }
