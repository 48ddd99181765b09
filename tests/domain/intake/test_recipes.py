"""Templates, macros and their words (behaviour N-3, N-5)."""

from typing import Any

import pytest
import yaml

from services.intake.desk_file import read_desk
from services.intake.domain.fields import Fields
from services.intake.fields_file import read_fields
from services.intake.wording import Texts, values_of
from tests.domain.intake.tickets import ADA, FILE, STATUSES, ticket

RESPONSES = [{"key": "hello", "label": {"en": "Hello"}, "text": {"en": "Hello {{ customer }}"}}]


def recipe(**fields: Any) -> dict[str, Any]:
    return {"key": "refund", "label": {"en": "Refund"}, **fields}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"response": "bye"}, "templates.refund.response: there is no response 'bye'"),
        ({"status": "sleeping"}, "templates.refund.status"),
        ({"custom": {"amount": "x"}}, "templates.refund.custom.amount: must be a number"),
        ({"tags": ["a,b"]}, "'a,b' is no tag"),
        ({"note": {"en": "{{ secret }}"}}, "templates.refund.note.en: secret is not one of"),
        ({"note": {"en": "{% if %}"}}, "templates.refund.note.en"),
        ({"priority": "huge"}, "templates.0.priority"),
        ({"answer": "hello"}, "templates.0.answer"),
    ],
)
def test_N3_a_wrong_template_is_named(change: dict[str, Any], named: str) -> None:
    fields = read_fields({"fields": [{"key": "amount", "label": {"en": "A"}, "type": "number"}]})
    with pytest.raises(ValueError, match=named) as fault:
        read_desk({"responses": RESPONSES, "templates": [recipe(**change)]}, STATUSES, fields)
    assert str(fault.value).startswith("desk.yaml: ")


@pytest.mark.parametrize(
    ("duplicates", "named"),
    [
        ({"suspect": True, "merge_on": ["unknown"]}, "duplicates.merge_on: 'unknown'"),
        ({"suspect": True, "merge_on": ["amount"]}, "duplicates.merge_on: 'amount' is no custom field that holds text"),
        ({"merge_on": ["order"]}, "nothing is compared without `suspect: true`"),
        ({"guess": True}, "duplicates.guess"),
    ],
)
def test_M5_wrong_rules_for_duplicates_are_named(duplicates: dict[str, Any], named: str) -> None:
    keys = {"amount": "number", "order": "text"}
    fields = read_fields({"fields": [{"key": key, "label": {"en": key}, "type": type} for key, type in keys.items()]})
    with pytest.raises(ValueError, match=named):
        read_desk({"duplicates": duplicates}, STATUSES, fields)
    sound = read_desk({"duplicates": {"suspect": True, "merge_on": ["order"]}}, STATUSES, fields).duplicates
    assert (sound.suspect, sound.merge_on) == (True, ("order",))


def test_N3_the_shipped_desk_is_in_order_and_every_word_makes_another_version() -> None:
    document = yaml.safe_load((FILE.parent / "desk.yaml").read_text())
    prepared = read_desk(document, STATUSES, Fields())
    assert {"refund", "pairing"} <= prepared.templates.keys()
    before = prepared.templates["refund"].version
    document["templates"][0]["note"]["en"] += "!"
    after = read_desk(document, STATUSES, Fields()).templates["refund"].version
    assert after != before


def test_N3_a_text_is_taken_in_the_nearest_language_and_says_what_it_knows() -> None:
    texts = Texts({"en": "Hi {{ customer }}, {{ custom.order }}", "de": "Hallo {{ customer }}"})
    values = values_of(ticket(custom={"order": "AB-1"}), ADA, "mira")
    assert texts.render("de-AT", values).text == "Hallo Ada"
    assert texts.render("fr", values).text == "Hi Ada, AB-1"
    assert texts.names == ("custom", "customer")


def test_N3_what_is_unknown_is_empty_when_used_and_named_in_a_preview() -> None:
    texts = Texts({"en": "Hi {{ customer }}, order {{ custom.order }}."})
    values = values_of(ticket(), None, None)
    assert texts.render(None, values).text == "Hi , order ."
    problems = texts.preview(None, values).problems
    assert any("customer has no value" in each for each in problems)
    assert any("order" in each for each in problems)


@pytest.mark.parametrize("value", ["{{ agent }}", "{% raw %}", "<script>"])
def test_N3_a_value_is_no_template(value: str) -> None:
    texts = Texts({"en": "{{ customer }}"})
    assert texts.render(None, {"customer": value, "agent": "mira"}).text == value


@pytest.mark.parametrize("source", ["{{ ''.__class__.__mro__ }}", "{{ custom.__init__.__globals__ }}"])
def test_N3_texts_run_in_a_sandbox(source: str) -> None:
    found = Texts({"en": source}).render(None, {"custom": {}})
    assert "class" not in found.text
    assert "globals" not in found.text


def test_N5_what_a_recipe_wants_of_a_ticket() -> None:
    document = {
        "macros": [
            recipe(assignee="me", priority="high", tags=["VIP"], remove_tags=["new"], status="solved", custom={"a": 1})
        ]
    }
    found = read_desk(document, STATUSES, Fields()).macros["refund"]
    wanted = found.wanted(ticket(tags=("new", "x")), "mira")
    assert wanted == {
        "assignee": "mira",
        "priority": "high",
        "tags": ("vip", "x"),
        "status": "resolved",
        "custom": {"a": 1},
    }
    assert "assignee" not in found.wanted(ticket(), None)
    assert "status" not in found.wanted(ticket("resolved"), "mira")
