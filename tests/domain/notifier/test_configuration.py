"""A bundle is refused with file, field and reason; a template is tried before it is used (behaviour N-3)."""

from typing import Any

import pytest

from services.notifier.configuration import parse
from tests.domain.notifier.desk import CONFIG, FILES

EN = "templates/acknowledgment.in_hours.en.txt"
MAIL: dict[str, Any] = FILES["mail.yaml"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mail.yaml": {**MAIL, "mailboxes": {"no address": {}}}}, "mail.yaml: mailboxes"),
        ({"mail.yaml": {**MAIL, "brand": ""}}, "mail.yaml: brand: "),
        ({"mail.yaml": {**MAIL, "retry": {"first": 1}}}, "mail.yaml: retry.first: "),
        ({"mail.yaml": {**MAIL, "acknowledgment": {"channels": {"email": "fax"}}}}, "acknowledgment.channels.email"),
        (
            {"mail.yaml": {**MAIL, "languages": {"en": {**MAIL["languages"]["en"], "moment": "{day} {o_clock}"}}}},
            "mail.yaml: languages.en: moment: 'o_clock'",
        ),
        ({EN: "Hello {{ custmer }}"}, f"{EN}: 'custmer' is undefined"),
        ({EN: "Hello {% if %}"}, f"{EN}: "),
        ({EN: "{{ ''.__class__.__mro__ }}"}, f"{EN}: access to attribute '__class__'"),
        ({"worktime.yaml": {"schedules": {"office": {"timezone": "Nowhere", "hours": {}}}}}, "schedules.office."),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse({**FILES, **changes})
    assert words in str(refused.value)


def test_a_template_must_be_there_in_the_default_language() -> None:
    with pytest.raises(ValueError, match=r"acknowledgment\.in_hours\.en\.txt: is missing"):
        parse({name: content for name, content in FILES.items() if name != EN})


@pytest.mark.parametrize(
    ("wanted", "found"), [("de", "de"), ("de-AT", "de"), ("DE_ch", "de"), ("fr", "en"), (None, "en"), ("", "en")]
)
def test_N3_the_nearest_language_is_taken(wanted: str | None, found: str) -> None:
    assert CONFIG.templates.language("acknowledgment.in_hours", wanted) == found


def test_N3_at_send_an_unknown_name_is_empty() -> None:
    rendered = CONFIG.templates.render("acknowledgment.in_hours", "en", {"reference": "SB-1"})
    assert "Its number is SB-1." in rendered.text
    assert rendered.subject == "[#SB-1] Re: Your message"


@pytest.mark.parametrize("language", ["en", "de"])
def test_K3_where_nobody_knows_how_browsers_reach_us_the_word_that_it_is_resolved_has_no_link(language: str) -> None:
    values = {"reference": "SB-1", "subject": "Lamp", "customer": "Ann", "brand": "Lumen"}
    with_link = CONFIG.templates.render("resolved", language, {**values, "reopen_link": "https://x/y?a=1&b=2"})
    without = CONFIG.templates.render("resolved", language, {**values, "reopen_link": None})
    assert "\n\nhttps://x/y?a=1&b=2\n\nLumen" in with_link.text
    assert with_link.text.replace("https://x/y?a=1&b=2\n\n", "").count("\n") == without.text.count("\n")
    assert "http" not in without.text


def test_a_value_is_no_template() -> None:
    values = {"reference": "{{ brand }}", "customer": "{% raw %}", "brand": "B"}
    rendered = CONFIG.templates.render("acknowledgment.in_hours", "en", values)
    assert "Its number is {{ brand }}." in rendered.text
    assert "Hello {% raw %}," in rendered.text


def test_a_subject_is_one_line() -> None:
    rendered = CONFIG.templates.render("acknowledgment.in_hours", "en", {"subject": "a\nBcc: b"})
    assert "\n" not in rendered.subject
