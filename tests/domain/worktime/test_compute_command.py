"""`signalbox worktime compute`: cases in, one JSON line each out."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from signalbox.worktime import app
from tests.domain.worktime.calendars import WORKDAYS, written

BERLIN = written("Europe/Berlin", WORKDAYS, ("09:00", "17:00"), holidays=[], date_overrides={})
ADD = {
    "id": "v1",
    "calendar": BERLIN,
    "op": "add",
    "start": "2026-03-27T15:30:00Z",
    "target_business_seconds": 7200,
    "note": "fields beside the known ones are ignored",
}
BETWEEN = {
    "id": "day",
    "calendar": BERLIN,
    "op": "between",
    "start": "2026-06-12T00:00:00Z",
    "end": "2026-06-13T00:00:00Z",
    "pauses": [["2026-06-12T08:00:00Z", "2026-06-12T09:00:00Z"]],
}


def compute(cases: str | bytes, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["compute", *(arguments or ("-",))], input=cases)


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


ANSWERS = [{"id": "v1", "due": "2026-03-30T08:30:00Z"}, {"id": "day", "seconds": 25200}]


def test_an_array_of_cases_is_answered_in_order() -> None:
    result = compute(json.dumps([ADD, BETWEEN], indent=1))
    assert (result.exit_code, lines(result.stdout), result.stderr) == (0, ANSWERS, "")


def test_json_lines_are_answered_in_order() -> None:
    result = compute(f"{json.dumps(ADD)}\n\n{json.dumps(BETWEEN)}\n")
    assert (result.exit_code, lines(result.stdout)) == (0, ANSWERS)


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "cases.json").write_text(json.dumps([ADD]))
    result = compute("", str(tmp_path / "cases.json"))
    assert (result.exit_code, lines(result.stdout)) == (0, ANSWERS[:1])


def test_nothing_in_is_nothing_out() -> None:
    result = compute("")
    assert (result.exit_code, result.stdout) == (0, "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"op": "subtract"}, "v1: op: give one of add, between"),
        ({"start": "2026-03-27T15:30:00"}, "v1: start: "),
        ({"start": 1774625400}, "v1: start: not an instant in ISO 8601"),
        ({"start": "1066-10-14T09:00:00Z"}, "v1: start: outside the years 1900 to 2299"),
        ({"target_business_seconds": -1}, "v1: target_business_seconds: "),
        ({"target_business_seconds": None}, "v1: target_business_seconds: "),
        ({"target_business_seconds": 1e12}, "v1: target_business_seconds: is used up outside the years"),
        ({"pauses": [["2026-03-27T16:00:00Z", "2026-03-27T15:00:00Z"]]}, "v1: pauses.0: ends before it starts"),
        ({"calendar": {**BERLIN, "timezone": "Mars/Olympus"}}, "v1: calendar.timezone: unknown time zone"),
        ({"calendar": {**BERLIN, "hours": {}}}, "v1: calendar.hours: no running time"),
        ({"calendar": {**BERLIN, "hours": {"mon": [["17:00", "09:00"]]}}}, "v1: calendar.hours.mon.0: ends at 09:00"),
        (
            {"calendar": {**BERLIN, "holidays": [{"day": "2026-01-01", "until": "2028-01-01"}]}},
            "v1: calendar.holidays: no running time in the 400 days from 2026-03-27",
        ),
        ({"id": 7}, "7: id: "),
        ({"id": None}, "a case without an id: id: "),
    ],
)
def test_a_bad_case_is_named_with_its_field_and_does_not_stop_the_others(change: dict[str, Any], said: str) -> None:
    result = compute(json.dumps([ADD | change, BETWEEN]))
    assert (result.exit_code, lines(result.stdout)) == (1, ANSWERS[1:])
    assert result.stderr.startswith(f"error: {said}")
    assert result.stderr.count("\n") == 1


def test_between_needs_an_end() -> None:
    result = compute(json.dumps({key: value for key, value in BETWEEN.items() if key != "end"}))
    assert (result.exit_code, result.stderr) == (1, "error: day: end: Field required\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{json.dumps(ADD)}\nnonsense\n", "error: line 2: not JSON"),
        ("[{]", "error: the array: not JSON"),
        ("7", "error: a case is an object"),
        (b"\xff\xfe", "error: -: not UTF-8"),
    ],
)
def test_what_is_no_case_fails_in_one_line(text: str | bytes, said: str) -> None:
    result = compute(text)
    assert result.exit_code == 1
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == 1


def test_a_file_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    result = compute("", str(tmp_path / "missing.json"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("missing.json: No such file or directory\n")
