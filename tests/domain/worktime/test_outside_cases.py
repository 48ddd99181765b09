"""115 cases read off the tests of six other systems: 114 must come out as theirs."""

import json
from typing import Any

from libs.worktime.cases import answer
from tests.support.outside import outside

CONTESTED = {
    "working_hours-b11": "counts 24 wall-clock hours on a day of 25; the others, and B-2, count the time that passes"
}


def expected(case: dict[str, Any]) -> list[object]:
    if case["op"] == "between":
        return [case["expected_business_seconds"]]
    return [case["expected_due"], *case["also_acceptable"]]


def test_B3_outside_cases() -> None:
    cases = json.loads(outside("sla/cases.json").read_text())
    given = {case["id"]: {"due": None, "seconds": None} | answer(case) for case in cases}
    wrong = [
        (case["id"], given[case["id"]], expected(case))
        for case in cases
        if (given[case["id"]]["due"] or given[case["id"]]["seconds"]) not in expected(case)
    ]
    assert {identity for identity, *_ in wrong} == set(CONTESTED), wrong
    assert len(cases) - len(wrong) == 114
