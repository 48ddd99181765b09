"""Golden samples: once written they are read for ever, by every model and every released schema."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from libs.contracts.sample_files import SAMPLES, sample_folder, samples
from libs.contracts.schema_files import DESCRIBED, Schema, released_schemas, schema_of

CASES = [(type_, path) for type_ in sorted(DESCRIBED) for path in samples(type_)]
NAMED = pytest.mark.parametrize(("type_", "path"), CASES, ids=[f"{type_}-{path.stem}" for type_, path in CASES])


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@NAMED
def test_a_sample_is_read(type_: str, path: Path) -> None:
    DESCRIBED[type_].model_validate_json(path.read_bytes())


@NAMED
def test_a_sample_fits_every_released_schema_and_the_current_one(type_: str, path: Path) -> None:
    for schema in (*released_schemas(type_), schema_of(type_)):
        Draft202012Validator(schema).validate(load(path))


@NAMED
def test_what_is_written_today_fits_every_released_schema(type_: str, path: Path) -> None:
    said = DESCRIBED[type_].model_validate_json(path.read_bytes())
    for exclude_defaults in (True, False):
        again = json.loads(said.model_dump_json(exclude_defaults=exclude_defaults))
        for schema in released_schemas(type_):
            Draft202012Validator(schema).validate(again)


@NAMED
def test_a_field_that_nobody_knows_is_ignored(type_: str, path: Path) -> None:
    known = DESCRIBED[type_].model_validate(load(path))
    assert DESCRIBED[type_].model_validate({**load(path), "added_later": {"deep": [1]}}) == known


@pytest.mark.parametrize("type_", sorted(DESCRIBED))
def test_every_type_has_a_minimal_and_a_full_sample(type_: str) -> None:
    assert {"minimal", "full"} <= {path.stem for path in samples(type_)}


@pytest.mark.parametrize("type_", sorted(DESCRIBED))
def test_the_full_sample_leaves_nothing_at_its_default(type_: str) -> None:
    full = load(sample_folder(type_) / "full.json")
    said = DESCRIBED[type_].model_validate(full)
    assert json.loads(said.model_dump_json(exclude_defaults=True)) == full
    assert absent_fields(schema_of(type_), full) == []


@pytest.mark.parametrize("type_", sorted(DESCRIBED))
def test_the_minimal_sample_has_only_what_is_required(type_: str) -> None:
    assert sorted(load(sample_folder(type_) / "minimal.json")) == sorted(schema_of(type_).get("required", []))


def test_there_is_no_sample_of_something_that_does_not_exist() -> None:
    assert {path.parent for path in SAMPLES.rglob("*.json")} == {sample_folder(type_) for type_ in DESCRIBED}


def absent_fields(schema: Schema, value: Any) -> list[str]:
    """Fields of the schema, in its nested objects too, that the value lacks."""
    return list(_absent(schema, value, schema.get("$defs", {}), ""))


def _absent(part: Schema, value: Any, definitions: dict[str, Schema], where: str) -> list[str]:
    if "$ref" in part:
        part = definitions[part["$ref"].removeprefix("#/$defs/")]
    if "anyOf" in part:
        shapes = [shape for shape in part["anyOf"] if shape.get("type") != "null"]
        return _absent(shapes[0], value, definitions, where) if len(shapes) == 1 else []
    if isinstance(value, list):
        return [name for item in value for name in _absent(part.get("items", {}), item, definitions, where)]
    if not isinstance(value, dict) or "properties" not in part:
        return []
    fields: dict[str, Schema] = part["properties"]
    nested = [
        deeper
        for name, field in fields.items()
        if name in value
        for deeper in _absent(field, value[name], definitions, f"{where}/{name}")
    ]
    return [f"{where}/{name}" for name in fields if name not in value] + nested
