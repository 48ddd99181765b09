"""How reviews are written."""

import pytest

from services.reporting.review import Document
from services.reporting.sheet import as_csv
from signalbox.review_words import duration, percent


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (0, "0 s"),
        (45.4, "45 s"),
        (59.6, "1 min"),
        (725, "12 min 5 s"),
        (12_000, "3 h 20 min"),
        (187_200, "2 d 4 h"),
    ],
)
def test_durations_for_people(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_shares_for_people() -> None:
    assert (percent(None), percent(0.7999), percent(1)) == ("–", "80.0%", "100.0%")


class Sheet(Document):
    tag: str
    n: int


def test_csv_never_holds_a_formula() -> None:
    assert as_csv(Sheet(tag="=1+1", n=-1)).splitlines() == ["path,value", "tag,'=1+1", "n,-1"]
