"""Expectations look into the finished document, and fail when it does not hold what they ask for."""

from typing import Any

import pytest

from signalbox.demo.day import Expectation
from signalbox.demo.expecting import fits, judge
from signalbox.failure import Failure

TICKET = {"subject": "Lamp", "queue": None, "tags": ["vip", "on-call"], "texts": ["Where is it?", "Here."]}


@pytest.mark.parametrize(
    ("where", "fit"),
    [
        ({}, True),
        ({"subject": "Lamp"}, True),
        ({"subject": "lamp"}, False),
        ({"subject": {"has": "am"}}, True),
        ({"subject": {"not": "Lamp"}}, False),
        ({"queue": None}, True),
        ({"queue": {"has": "x"}}, False),
        ({"queue": {"not": None}}, False),
        ({"tags": "vip"}, True),
        ({"tags": "vi"}, False),
        ({"tags": {"not": "vip"}}, False),
        ({"tags": {"not": "spam"}}, True),
        ({"texts": {"has": "is it"}}, True),
        ({"nothing": "x"}, False),
        ({"subject": "Lamp", "tags": "spam"}, False),
    ],
)
def test_an_entry_fits_when_it_has_all_values(where: dict[str, Any], fit: bool) -> None:
    assert fits(TICKET, where) is fit


@pytest.mark.parametrize(
    ("count", "holds"), [({}, True), ({"at_least": 2}, False), ({"exactly": 1}, True), ({"exactly": 0}, False)]
)
def test_so_many_entries_are_counted(count: dict[str, int], holds: bool) -> None:
    asked = Expectation.model_validate(
        {"what": "a lamp", "in": "tickets", "where": {"subject": "Lamp"}, "count": count}
    )
    (verdict,) = judge([asked], {"tickets": [TICKET, {"subject": "Hub"}]})
    assert (verdict.found, verdict.holds) == (1, holds)


def test_a_list_that_the_document_does_not_have_is_named() -> None:
    with pytest.raises(Failure, match="has no list 'tickts'"):
        judge([Expectation.model_validate({"what": "x", "in": "tickts"})], {"tickets": []})
