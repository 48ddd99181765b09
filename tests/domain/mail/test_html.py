"""E-4, E-6: HTML as text, and HTML that is safe to show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.mail.html_text import html_to_text
from services.intake.mail.sanitise import clean_html, linked_images, named_images


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>Two &amp; three</p>", "One\n\nTwo & three"),
        ("One<br>Two<br/>Three", "One\nTwo\nThree"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<ul><li>a<li>b</ul>", "- a\n- b"),
        ("<pre>x\n  y</pre>", "x\n  y"),
        ("<blockquote>quoted</blockquote>answer", "> quoted\n\nanswer"),
        ("a<!-- hidden -->b<style>p{}</style><script>x()</script>c", "abc"),
        ("a<!-- never closed", "a"),
        ("1 < 2 <b>and</b> 3 > 2", "1 < 2 and 3 > 2"),
        ("  spaces \n and&nbsp;breaks ", "spaces and breaks"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("&#xD800;", "\ufffd"),
    ],
)
def test_E4_html_as_text(markup: str, text: str) -> None:
    assert html_to_text(markup) == text


@pytest.mark.parametrize(
    ("markup", "cleaned"),
    [
        ("<p onclick=x()>a</p><script>x()</script>", "<p>a</p>"),
        ('<img src="cid:a@b">', '<img src="cid:a@b">'),
        ('<img src="https://tracker.example/x.png">', "<img>"),
        ('<img src="data:image/png;base64,AA">', "<img>"),
        ('<a href="javascript:x()">a</a>', '<a rel="noopener noreferrer nofollow">a</a>'),
        ("<form action=x><input name=y>a</form>", "a"),
        ('<p style="background:url(https://tracker.example)">a</p>', "<p>a</p>"),
        ("<iframe src=https://x.example></iframe>a", "a"),
    ],
)
def test_E4_html_is_cleaned(markup: str, cleaned: str) -> None:
    assert clean_html(markup) == cleaned


def test_E6_images_of_a_text_are_loaded_from_links_to_its_attachments() -> None:
    cleaned = clean_html('<img src="cid:a@b"><img src="CID:c%20d"><img src=\'cid:x"&y\'><img src="cid:gone">') or ""
    named = named_images(cleaned, {"a@b": "1.0", "c d": "1.1", 'x"&y': "1.2"})
    linked = linked_images(named, {"1.0": "/v1/attachments/1.0?e=1&s=2", "1.1": "/one", "1.2": "/two"})
    assert linked == '<img src="/v1/attachments/1.0?e=1&amp;s=2"><img src="/one"><img src="/two"><img src="">'


def test_E4_html_that_would_take_minutes_is_refused() -> None:
    assert clean_html("<div>" * 2000) is None
    assert clean_html("<p>" * 2000) is not None
    assert clean_html("&" * 200_000) is None


@given(st.text(alphabet="<>/abp \"'=!-&;", max_size=200))
def test_E4_cleaned_html_holds_no_script(markup: str) -> None:
    assert "<script" not in (clean_html(f"<script>{markup}</script>{markup}") or "")
