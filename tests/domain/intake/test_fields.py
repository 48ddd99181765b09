"""Custom fields are what a team says they are, on every way in (behaviour N-4)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.conversation import TicketRequested
from libs.contracts.ticket import Change, TicketChanged
from services.intake.domain.conversation import Conversation, Roster, opening_from
from services.intake.domain.fields import Fields, Required, WrongField
from services.intake.domain.tags import LONGEST, kept, normal
from services.intake.domain.ticket import state_json
from services.intake.fields_file import read_fields
from tests.domain.intake.tickets import STATUSES, ticket

FILE = {
    "fields": [
        {
            "key": "order",
            "label": {"en": "Order"},
            "type": "text",
            "pattern": "[A-Z]{2}-[0-9]{4}",
            "required": "resolve",
        },
        {"key": "note", "label": {"en": "Note"}, "type": "text", "max_length": 5},
        {"key": "amount", "label": {"en": "Amount"}, "type": "number", "minimum": 0, "maximum": 100},
        {"key": "warranty", "label": {"en": "Warranty"}, "type": "boolean", "queues": ["technical"]},
        {"key": "bought", "label": {"en": "Bought"}, "type": "date"},
        {"key": "colour", "label": {"en": "Colour"}, "type": "choice", "choices": ["red", "blue"]},
        {"key": "parts", "label": {"en": "Parts"}, "type": "choices", "choices": ["lamp", "hub", "dimmer"]},
        {"key": "iban", "label": {"en": "IBAN"}, "type": "text", "personal": True},
        {"key": "fax", "label": {"en": "Fax"}, "type": "text", "retired": True},
        {"key": "serial", "label": {"en": "Serial"}, "type": "text", "required": "create", "queues": ["technical"]},
    ],
    "categories": [{"key": "billing", "label": {"en": "Billing"}}],
    "only_these_categories": True,
}
FIELDS = read_fields(FILE)


@pytest.mark.parametrize(
    ("key", "given", "stored"),
    [
        ("order", " AB-1234 ", "AB-1234"),
        ("amount", 12.5, 12.5),
        ("warranty", False, False),
        ("bought", "2026-02-28", "2026-02-28"),
        ("colour", "red", "red"),
        ("parts", ["hub", "lamp", "hub"], "lamp, hub"),
        ("parts", "hub,lamp", "lamp, hub"),
        ("whatever", "else", "else"),
    ],
)
def test_N4_a_value_is_kept_as_its_type_says(key: str, given: Any, stored: Any) -> None:
    assert FIELDS.custom({key: given}, None) == {key: stored}
    assert FIELDS.custom({key: FIELDS.custom({key: given}, None)[key]}, None) == {key: stored}


@pytest.mark.parametrize(
    ("key", "given", "reason"),
    [
        ("order", "ab-1234", "look like"),
        ("order", "AB-12345", "look like"),
        ("order", 7, "must be a text"),
        ("order", "  ", "must be a text"),
        ("note", "123456", "5 are allowed"),
        ("note", "a\x00b", "NUL"),
        ("amount", "12", "must be a number"),
        ("amount", True, "must be a number"),
        ("amount", float("nan"), "must be a number"),
        ("amount", -1, "at least 0"),
        ("amount", 101, "at most 100"),
        ("warranty", "yes", "true or false"),
        ("bought", "2026-02-30", "a date"),
        ("bought", "20260228", "a date"),
        ("colour", "green", "'green' is not one of red, blue"),
        ("colour", ["red", "blue"], "is not one of"),
        ("parts", ["hub", "bulb"], "'bulb' is not one of"),
        ("parts", [], "a list of"),
        ("fax", "1", "not used any more"),
        ("whatever", ["a"], "must be a text"),
        ("whatever", "x" * 1001, "1000 are allowed"),
    ],
)
def test_N4_what_does_not_fit_is_refused_and_the_field_is_named(key: str, given: Any, reason: str) -> None:
    with pytest.raises(WrongField, match=reason) as wrong:
        FIELDS.custom({key: given}, None)
    assert wrong.value.field == f"custom.{key}"


def test_N4_a_field_belongs_to_its_queues_and_null_unsets() -> None:
    assert FIELDS.custom({"warranty": True, "order": None}, "technical") == {"warranty": True, "order": None}
    with pytest.raises(WrongField, match="belongs to technical"):
        FIELDS.custom({"warranty": True}, "billing")


def test_N4_required_fields_are_asked_for_when_and_where_they_are_needed() -> None:
    with pytest.raises(WrongField, match=r"custom\.order: is required to resolve"):
        FIELDS.demand(Required.RESOLVE, {}, "billing")
    FIELDS.demand(Required.RESOLVE, {"order": "AB-1234"}, "billing")
    FIELDS.demand(Required.CREATE, {}, "billing")
    with pytest.raises(WrongField, match=r"custom\.serial: is required to create"):
        FIELDS.demand(Required.CREATE, {}, "technical")


def test_N4_only_defined_categories_where_a_team_wants_it_so() -> None:
    assert FIELDS.category("billing") == "billing"
    assert FIELDS.category(None) is None
    assert Fields().category("whatever") == "whatever"
    with pytest.raises(WrongField, match="category"):
        FIELDS.category("whatever")


def test_N4_a_source_that_cannot_be_answered_loses_no_ticket_and_agents_read_what_was_wrong() -> None:
    request = TicketRequested(conversation_id="7", category="?", custom={"amount": "many", "order": "AB-1234"})
    opening = opening_from(Conversation("chat", "7"), request, [], [], None, Roster(), FIELDS, id="t", reference="1")
    assert opening.custom == {"order": "AB-1234"}
    assert opening.category is None
    assert opening.handoff is not None
    assert "custom.amount" in opening.handoff
    assert '"category"' in opening.handoff


def test_N4_no_fact_has_the_value_of_a_personal_field() -> None:
    said = FIELDS.without_personal(
        TicketChanged(changes={"custom.iban": Change(old="x", new="DE44"), "queue": Change()})
    )
    assert b"DE44" not in said.wire_json()
    assert isinstance(said, TicketChanged)
    assert said.changes.keys() == {"custom.iban", "queue"}
    owner = ticket(custom={"iban": "DE44", "amount": 3})
    header = state_json(owner, STATUSES[owner.status], FIELDS.personal)
    assert b"DE44" not in header
    assert b"amount" in header


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"type": "colour"}, "fields.0.type"),
        ({"type": "choice"}, "choices: are needed"),
        ({"choices": ["a"]}, "choices: are for"),
        ({"pattern": "("}, "pattern"),
        ({"minimum": 1}, "minimum and maximum"),
        ({"key": "Order Number"}, "fields.0.key"),
        ({"key": "note"}, "fields: the key note is used twice"),
        ({"mandatory": True}, "fields.0.mandatory"),
    ],
)
def test_N4_a_wrong_definition_is_named(change: dict[str, Any], named: str) -> None:
    first = {"key": "a", "label": {"en": "A"}, "type": "text"} | change
    second = {"key": "note", "label": {"en": "A"}, "type": "text"}
    with pytest.raises(ValueError, match=named) as fault:
        read_fields({"fields": [first, second]})
    assert str(fault.value).startswith("fields.yaml: ")


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("VIP", "vip"),
        ("  on call ", "on-call"),
        ("feedback/Bug", "feedback/bug"),
        ("ＡＢ", "ab"),
        ("Straße", "strasse"),
        ("", None),
        ("a,b", None),
        ("x" * (LONGEST + 1), None),
    ],
)
def test_N4_tags_are_spelled_alike(given: str, stored: str | None) -> None:
    assert normal(given) == stored


@given(st.lists(st.text(max_size=60), max_size=80))
def test_N4_tags_that_are_kept_are_sound_sorted_and_stay_as_they_are(tags: list[str]) -> None:
    found = kept(tuple(tags))
    assert list(found) == sorted(set(found))
    assert len(found) <= 50
    assert kept(found) == found
