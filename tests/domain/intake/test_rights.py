"""Who may see and who may change which custom field (behaviour V-5)."""

from typing import Any

import pytest

from libs.conditions.evaluate import compiled
from libs.conditions.reading import Context, Reading
from libs.conditions.where_text import parse_where
from libs.contracts.ticket import Change, TicketChanged
from services.intake.desk_file import read_desk
from services.intake.domain.fields import Fields
from services.intake.domain.rights import NotYours, check_change, fact_as_seen, unseen_by
from services.intake.fields_file import read_fields
from services.intake.reach import as_seen
from tests.domain.intake.tickets import NOW, STATUSES


def fields(*written: dict[str, Any]) -> Fields:
    return read_fields({"fields": [{"label": {"en": "x"}, "type": "text", **each} for each in written]})


FIELDS = fields(
    {"key": "order"},
    {"key": "refund", "change": "lead"},
    {"key": "risk", "see": "lead"},
    {"key": "fraud", "see": "lead", "change": "admin"},
)


@pytest.mark.parametrize(
    ("role", "unseen", "unchangeable"),
    [
        ("agent", {"risk", "fraud"}, {"refund", "risk", "fraud"}),
        ("lead", set(), {"fraud"}),
        ("admin", set(), set()),
        ("system", set(), set()),
    ],
)
def test_V5_each_role_sees_and_changes_what_the_file_says(role: str, unseen: set[str], unchangeable: set[str]) -> None:
    assert unseen_by(role, FIELDS) == unseen
    refused = set()
    for key in (*FIELDS.definitions, "undefined"):
        try:
            check_change(role, FIELDS, [key])
        except NotYours as wrong:
            refused.add(wrong.field.removeprefix("custom."))
    assert refused == unchangeable


def test_V5_what_not_everybody_may_see_is_in_no_fact() -> None:
    changes = {f"custom.{key}": Change(old="a", new="b") for key in ("order", "refund", "risk")}
    said = FIELDS.without_personal(TicketChanged(changes=changes))
    assert isinstance(said, TicketChanged)
    assert said.changes == changes | {"custom.risk": Change()}
    assert FIELDS.personal == {"risk", "fraud"}


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ("custom.risk = high", False),
        ("custom.risk != high", True),
        ("custom.risk in (high, low)", False),
        ("custom.risk not in (high)", True),
        ("custom.risk is set", False),
        ("custom.risk is unset", True),
        ("custom.risk > 3", False),
        ("custom.risk contains ig", False),
        ("not custom.risk = high", True),
        ("custom.risk = high or custom.order = x", True),
        ("custom.order = x and custom.risk is unset", True),
    ],
)
def test_V5_to_whom_does_not_see_a_field_no_ticket_has_it(where: str, holds: bool) -> None:
    condition = as_seen(parse_where(where), frozenset({"risk"}))
    for risk in ("high", "low", 7, None):
        custom = {"order": "x"} | ({} if risk is None else {"risk": risk})
        assert compiled(condition)(Reading({"status": "open", "custom": custom}, Context(now=NOW))) is holds
    assert as_seen(parse_where(where), frozenset({"another"})) == parse_where(where)


def test_V5_a_fact_is_shown_without_what_it_says_of_a_field() -> None:
    said = {
        "changes": {"custom.risk": {"new": "high"}, "custom.order": {"new": "x"}, "status": {"new": "open"}},
        "fields": {"custom": {"risk": "high", "order": "x"}, "priority": "low"},
        "refused": {"custom.risk": "'huge' is none"},
        "taken": ["order", "risk"],
        "text": "risk",
    }
    assert fact_as_seen(said, frozenset({"risk"})) == {
        "changes": {"custom.order": {"new": "x"}, "status": {"new": "open"}},
        "fields": {"custom": {"order": "x"}, "priority": "low"},
        "refused": {},
        "taken": ["order"],
        "text": "risk",
    }


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"key": "a", "see": "admin", "change": "lead"}, "change: who may change it has to see it: admin"),
        ({"key": "a", "change": "lead", "required": "resolve"}, "required: agents may not change it"),
        ({"key": "topic", "see": "lead"}, "see: the topic of a hand-off"),
        ({"key": "a", "see": "system"}, "fields.0.see"),
    ],
)
def test_V5_rights_that_cannot_be_kept_are_refused(written: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fields(written)


def test_V5_tickets_are_not_merged_by_themselves_on_a_field_that_not_everybody_sees() -> None:
    desk: dict[str, Any] = {"duplicates": {"suspect": True, "merge_on": ["order"]}}
    assert read_desk(desk, STATUSES, FIELDS).duplicates.merge_on == ("order",)
    desk["duplicates"]["merge_on"] = ["risk"]
    with pytest.raises(ValueError, match=r"merge_on: 'risk' is not shown to everybody"):
        read_desk(desk, STATUSES, FIELDS)
