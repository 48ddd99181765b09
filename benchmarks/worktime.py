"""Deadlines per second on a split-shift calendar with holidays, from 15 minutes to 90 days; prints JSON.

Run: python -m benchmarks.worktime
"""

import json
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Final

from libs.worktime import Schedule, Worktime

TARGETS: Final = {"15 min": 900, "2 h": 7_200, "8 h": 28_800, "48 h": 172_800, "30 d": 2_592_000, "90 d": 7_776_000}
ADDS: Final = 100_000
STARTS: Final = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=511 * step) for step in range(1_000)]

SPLIT_SHIFTS: Final = {
    "timezone": "Europe/London",
    "hours": {day: [["09:00", "12:30"], ["13:30", "17:30"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "holidays": ["01-01", "12-25", "12-26", "2026-04-03", "2026-04-06", "2026-05-04", "2026-05-25", "2026-08-31"],
}


def adds_per_second(worktime: Worktime, seconds: int) -> int:
    """Over a thousand starts spread across a year, sums already built."""
    for start in STARTS:
        worktime.add(start, seconds)
    began = perf_counter()
    for _ in range(ADDS // len(STARTS)):
        for start in STARTS:
            worktime.add(start, seconds)
    return round(ADDS / (perf_counter() - began))


def main() -> None:
    worktime = Schedule.model_validate(SPLIT_SHIFTS).compile()
    began = perf_counter()
    worktime.add(STARTS[0], 1)
    first = perf_counter() - began
    rates = {target: adds_per_second(worktime, seconds) for target, seconds in TARGETS.items()}
    print(json.dumps({"adds_per_second": rates, "first_question_ms": round(first * 1000, 1)}))


if __name__ == "__main__":
    main()
