"""A day is told in local time and lived in UTC; a day that cannot be played is refused with field and reason."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from signalbox.demo.day import Day, read_day
from signalbox.failure import Failure


def day(*scenes: str, start: str = "2026-09-14 06:30", timezone: str = "Europe/Berlin") -> Day:
    return Day.model_validate(
        {"timezone": timezone, "start": start, "scenes": [{"at": at, "title": "x"} for at in scenes]}
    )


def test_scenes_are_on_the_first_such_day_from_the_start_on() -> None:
    monday = day()
    assert monday.begins == datetime(2026, 9, 14, 4, 30, tzinfo=UTC)
    assert monday.instant("Mon 09:05") == datetime(2026, 9, 14, 7, 5, tzinfo=UTC)
    assert monday.instant("Sun 09:05") == datetime(2026, 9, 20, 7, 5, tzinfo=UTC)


def test_a_day_may_cross_the_change_of_the_clocks() -> None:
    saturday = day("Sat 23:00", "Mon 09:00", start="2026-10-24 12:00")
    assert saturday.instant("Sat 23:00") == datetime(2026, 10, 24, 21, tzinfo=UTC)
    assert saturday.instant("Mon 09:00") == datetime(2026, 10, 26, 8, tzinfo=UTC)
    assert saturday.moment(datetime(2026, 10, 26, 8, tzinfo=UTC)) == "Mon 09:00"


def test_scenes_come_in_their_order() -> None:
    with pytest.raises(ValueError, match="Mon 09:00 comes after Mon 10:00"):
        day("Mon 10:00", "Mon 09:00")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("timezone: [", "day.yaml: "),
        ("{timezone: Europe/Berlin, start: 2026-09-14 06:30}", "scenes: is missing"),
        (
            "{timezone: UTC, start: 2026-09-14 06:30, scenes: [{at: Mon 07:00, title: x, steps: [{fax: y}]}]}",
            r"scenes\[0\].steps\[0\].fax",
        ),
        (
            "{timezone: UTC, start: 2026-09-14 06:30, scenes: [{at: Mon 07:00, title: x, steps: [{mail: y}]}]}",
            "y.eml: there is no such example",
        ),
    ],
)
def test_a_day_that_cannot_be_played_is_refused_with_field_and_reason(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "day.yaml").write_text(text)
    with pytest.raises(Failure, match=reason):
        read_day(tmp_path)
