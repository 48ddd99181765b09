"""`signalbox rules check` and `signalbox rules decide`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from signalbox.rules import app
from tests.domain.router.test_rule_file import VALID


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "routing.yaml").write_text(VALID)
    return tmp_path


def run(*words: str | Path, text: str = "") -> tuple[int, str, str]:
    outcome = CliRunner().invoke(app, [str(word) for word in words], input=text)
    return outcome.exit_code, outcome.stdout, outcome.stderr


def test_check_says_that_a_file_is_valid(config: Path) -> None:
    code, out, _ = run("check", config)
    assert (code, "1 triage and 1 assignment rules, valid" in out) == (0, True)
    code, out, _ = run("check", config, "--json")
    assert json.loads(out)["ok"] is True


def test_check_points_at_the_line(config: Path) -> None:
    (config / "routing.yaml").write_text(VALID.replace("operator: word", "operator: is"))
    code, out, err = run("check", config)
    assert (code, out) == (1, "")
    assert f"{config / 'routing.yaml'}:10 assignment[0].when.all[0].operator (subject) - " in err
    code, out, _ = run("check", config, "--json")
    assert code == 1
    assert len(json.loads(out)["problems"]) == 1


def test_wrong_use_is_2(config: Path) -> None:
    assert run("check", config / "nowhere")[0] == 2
    assert run("decide", config / "nowhere", "--config", config)[0] == 2
    assert run("decide", "-", "--config", config / "nowhere")[0] == 2
    assert run("check")[0] == 2


TICKETS = """\
{"id": "a", "subject": "REFUND please", "tier": "vip", "now": "2026-03-04T12:00:00Z"}
{"subject": "refund", "spam": true, "kept": ["priority"], "tier": "vip"}
"""


def test_decide_answers_every_ticket_in_order(config: Path) -> None:
    code, out, _ = run("decide", "-", "--config", config, text=TICKETS)
    first, second = map(json.loads, out.splitlines())
    assert code == 0
    assert first["id"] == "a"
    assert first["fired"] == ["vip", "billing"]
    assert first["set"] == {"priority": "high", "queue": "billing"}
    assert first["set_by"] == {"priority": "vip", "queue": "billing"}
    assert (first["overridden"], first["fallback"], first["by_reference"]) == ([], False, False)
    assert second["overridden"] == [{"rule": "vip", "key": "priority", "by": "person"}]
    assert (second["set"], second["fallback"]) == ({"queue": "general"}, True)


def test_decide_goes_on_after_a_bad_line_and_fails(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "tickets.jsonl"
    file.write_text('{"subject": 5}\nnonsense\n[]\n{"now": "noon"}\n{"kept": "a"}\n{"subject": "refund"}\n')
    code, out, err = run("decide", file, "--config", config)
    assert code == 1
    assert len(out.splitlines()) == 1
    assert [line.split()[0] for line in err.splitlines()] == [f"{file}:{number}" for number in range(1, 6)]
    assert "subject: must be text, got int" in err
