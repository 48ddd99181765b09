"""`signalbox events`: what a publisher and a maintainer type."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from libs.contracts.schema_files import DESCRIBED
from signalbox.events import app

run = CliRunner().invoke
EVENT = {
    "specversion": "1.0",
    "id": "7",
    "source": "chat",
    "type": "signalbox.conversation.ticket-requested.v1",
    "data": {"conversation_id": "c-1", "custom": {"order": "1"}},
}


def event(**members: Any) -> dict[str, Any]:
    return {**EVENT, **members}


def data(**fields: Any) -> dict[str, Any]:
    return event(data={"conversation_id": "c-1", **fields})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.json"


@pytest.mark.parametrize(
    "text", [json.dumps(EVENT), json.dumps([EVENT, EVENT]), f"{json.dumps(EVENT)}\n\n{json.dumps(EVENT)}\n"]
)
def test_valid_events_pass(file: Path, text: str) -> None:
    file.write_text(text)
    result = run(app, ["validate", str(file)])
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("document", "pointer", "reason"),
    [
        (event(id=None), "/id", "missing"),
        (event(time="yesterday"), "/time", "RFC 3339"),
        (event(type="signalbox.ticket.vanished.v1"), "/type", "no event"),
        (event(datacontenttype="text/plain", data="x"), "/datacontenttype", "not JSON"),
        ({key: value for key, value in EVENT.items() if key != "data"}, "/data", "missing"),
        (event(data={}), "/data/conversation_id", "required"),
        (event(data=[]), "/data", "object"),
        (data(conversation_id=""), "/data/conversation_id", "at least 1"),
        (data(priority="urgent"), "/data/priority", "'low'"),
        (data(tags=["a", 7]), "/data/tags/1", "string"),
        (data(custom={"a/b~c": {}}), "/data/custom/a~1b~0c", "string"),
        ("text", "/", "not a JSON object"),
    ],
)
def test_a_fault_is_named_with_pointer_and_reason(file: Path, document: Any, pointer: str, reason: str) -> None:
    file.write_text(json.dumps([EVENT, document]))
    result = run(app, ["validate", str(file)])
    assert result.exit_code == 1
    assert f"error: event 1: {pointer}: " in result.stderr
    assert reason in result.stderr


def test_unknown_fields_pass_unless_strict(file: Path) -> None:
    file.write_text(json.dumps(data(priorty="high")))
    assert run(app, ["validate", str(file)]).exit_code == 0
    result = run(app, ["validate", "--strict", str(file)])
    assert result.exit_code == 1
    assert "/data/priorty" in result.stderr


def test_faults_as_json(file: Path) -> None:
    file.write_text(json.dumps(data(conversation_id=7)))
    result = run(app, ["validate", "--json", str(file)])
    (fault,) = json.loads(result.stdout)["faults"]
    assert (result.exit_code, fault["index"], fault["pointer"]) == (1, 0, "/data/conversation_id")


def test_standard_input_is_read() -> None:
    assert run(app, ["validate", "-"], input=json.dumps(EVENT)).exit_code == 0


def test_what_is_not_json_fails_and_what_is_not_there_is_wrong_use(file: Path) -> None:
    assert run(app, ["validate", str(file)]).exit_code == 2
    file.write_text("{")
    assert run(app, ["validate", str(file)]).exit_code == 1


def test_schemas_are_written_and_released(tmp_path: Path) -> None:
    result = run(app, ["schemas", str(tmp_path), "--release"])
    assert result.exit_code == 0
    assert {path.stem for path in tmp_path.glob("*.json")} == set(DESCRIBED)
    assert {path.parent.name for path in tmp_path.glob("released/*/1.json")} == set(DESCRIBED)
    assert "released released/" in result.stdout


@pytest.mark.parametrize("command", ["asyncapi", "catalogue"])
def test_a_document_goes_to_a_file_or_to_standard_output(tmp_path: Path, command: str) -> None:
    file = tmp_path / "document"
    assert run(app, [command, str(file)]).exit_code == 0
    assert run(app, [command]).stdout == file.read_text(encoding="utf-8")
