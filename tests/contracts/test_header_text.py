"""CloudEvents NATS binding 3.1.3.2: attribute values as header values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.header_text import decode_header, encode_header

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def test_the_example_of_the_specification() -> None:
    assert encode_header("Euro € 😀") == "Euro%20%E2%82%AC%20%F0%9F%98%80"
    assert decode_header("Euro%20%E2%82%AC%20%F0%9F%98%80") == "Euro € 😀"


@given(TEXT)
def test_any_text_comes_back(text: str) -> None:
    assert decode_header(encode_header(text)) == text


@given(TEXT)
def test_what_is_sent_is_printable_ascii_without_space_or_quote(text: str) -> None:
    assert all("!" <= character <= "~" and character != '"' for character in encode_header(text))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain/text:~!", "plain/text:~!"),
        ("%e2%82%ac", "€"),
        ("%41%42", "AB"),
        ("a b", "a b"),
        ('"a b"', "a b"),
        (r'"say \"hi\" \\ twice"', r'say "hi" \ twice'),
        ('"%20"', " "),
        ("%2520", "%20"),
        ('"open', '"open'),
        ("", ""),
    ],
)
def test_what_a_reader_accepts(value: str, text: str) -> None:
    assert decode_header(value) == text


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("%C0%A0", id="overlong space"),
        pytest.param("%E2%82", id="cut short"),
        pytest.param("%ED%A0%80", id="surrogate"),
        pytest.param("100%", id="stray at the end"),
        pytest.param("%zz", id="no digits"),
        pytest.param("%E2%8", id="one digit"),
    ],
)
def test_what_a_reader_refuses(value: str) -> None:
    with pytest.raises(ValueError, match=r"UTF-8|percent sign"):
        decode_header(value)


def test_a_lone_surrogate_is_refused_on_the_way_out() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        encode_header("\ud83d")
