"""The schemas on disk are what the models say, and what was released still holds."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from libs.contracts.compatibility import refusals
from libs.contracts.schema_files import (
    DESCRIBED,
    SCHEMAS,
    Schema,
    release,
    released_schemas,
    schema_files,
    schema_id,
    schema_of,
    write_schemas,
    written,
)

TYPES = sorted(DESCRIBED)
REGENERATE = "the models changed: run `signalbox events schemas` and look at the difference"


def test_the_schemas_on_disk_are_those_of_the_models() -> None:
    on_disk = {path.name: path.read_text(encoding="utf-8") for path in SCHEMAS.glob("*.json")}
    assert on_disk == schema_files(), REGENERATE


@pytest.mark.parametrize("type_", TYPES)
def test_a_schema_is_valid_and_keeps_its_id(type_: str) -> None:
    schema = schema_of(type_)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == schema_id(type_) == f"urn:signalbox:schema:{type_}"


@pytest.mark.parametrize("type_", TYPES)
def test_every_type_is_released_and_follows_its_releases(type_: str) -> None:
    released = released_schemas(type_)
    assert released, f"{type_} was never released: run `signalbox events schemas --release`"
    assert refusals(released, schema_of(type_)) == []


@pytest.mark.parametrize("type_", TYPES)
def test_releases_follow_each_other(type_: str) -> None:
    released = released_schemas(type_)
    for number in range(1, len(released)):
        assert refusals(released[:number], released[number]) == []


@pytest.mark.parametrize("type_", TYPES)
def test_every_field_says_what_it_is(type_: str) -> None:
    schema = schema_of(type_)
    for name, model in {type_: schema, **schema.get("$defs", {})}.items():
        assert model.get("description"), f"{name} has no docstring"
        undescribed = [field for field, part in model.get("properties", {}).items() if not part.get("description")]
        assert undescribed == [], f"{name} has fields without a description"


def test_writing_removes_the_schema_of_a_type_that_is_no_more(tmp_path: Path) -> None:
    stale = tmp_path / "signalbox.ticket.forgotten.v1.json"
    stale.write_text("{}")
    paths = write_schemas(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert stale not in paths


def test_a_release_adds_a_snapshot_only_where_more_than_words_changed(tmp_path: Path) -> None:
    assert len(release(tmp_path)) == len(DESCRIBED)
    assert release(tmp_path) == []
    first = tmp_path / "signalbox.ticket.rated.v1" / "1.json"

    reworded: Schema = json.loads(first.read_text())
    reworded["properties"]["score"]["description"] = "In other words."
    first.write_text(written(reworded))
    assert release(tmp_path) == []

    narrower: Schema = json.loads(first.read_text())
    del narrower["properties"]["agents"]
    first.write_text(written(narrower))
    assert release(tmp_path) == [tmp_path / "signalbox.ticket.rated.v1" / "2.json"]
