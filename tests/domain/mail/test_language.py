"""T-2, N-3: the customer is answered in the language of the mail, where the mail says which."""

import pytest

from services.intake.mail.language import content_language
from services.intake.mail.parse import parse


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("Content-Language: de\n", "de"),
        ("Content-Language: en-US\n", "en-US"),
        ("content-language: zh-Hant-TW\n", "zh-Hant-TW"),
        ("Content-Language: fr (Canada), en\n", "fr"),
        ("Content-Language: de, en\n", "de"),
        ("Content-Language: Deutsch, bitte\n", None),
        ("Content-Language: d\n", None),
        ("Content-Language:\n", None),
        ("", None),
    ],
)
def test_the_language_of_a_mail_is_the_first_tag_it_names(header: str, language: str | None) -> None:
    mail = parse(f"From: jo@example.org\n{header}Subject: Lampe\n\nHallo".encode())
    assert content_language(mail.headers) == language
