"""E-1 and E-4: what is read a shorter way is read as by the careful one."""

import asyncio
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.mail import headers
from services.intake.mail.body import sort_parts
from services.intake.mail.fast import fast_parts
from services.intake.mail.headers import read_fields, split_headers
from services.intake.mail.identity import settled
from services.intake.mail.parts import careful_parts, is_bare_text
from services.intake.smtp_session import read_mail

PIECES = [
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\r\n ",
        b"\n\t",
        b"a: b",
        b"Subject: x y ",
        b"To:",
        b"From ",
        b" ",
        b"\t",
        b"x",
        b":",
        b" :",
    ),
    *(b"\xc3\xa9", b"\xff", b"\0", b"\x0b", b"\x1c", b"\x85", b"\xc2\xa0", b"\xe2\x80\xa8"),
]
QUOTED = [
    *(
        "=",
        "==",
        "=\r\n",
        "= \r\n",
        "=20",
        "=E2=82=AC",
        "=E9",
        "=e9",
        "=g1",
        "=4",
        "=\n",
        "a",
        "b ",
        "\r\n",
        "\t",
        ".",
        "_",
    ),
    *("=3D", "\x00", "\x0b", "\x1c", "\x7f", "=00", "=0D=0A", "=0A", "=\r", "\r", "é"),
]
END = re.compile(rb"\r?\n(?=\r?\n)|\r\r")


@given(st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join))
@settings(max_examples=1000)
def test_E1_a_header_section_ends_at_its_first_blank_line(raw: bytes) -> None:
    end = END.search(raw)
    assert headers.section_end(raw) == ((end.start(), end.end()) if end else (len(raw), len(raw)))


@given(st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join))
@settings(max_examples=1000)
def test_E1_fields_found_by_one_search_are_those_found_line_by_line(raw: bytes) -> None:
    section = raw[: headers.section_end(raw)[0]]
    assert headers.plain_fields(section) in (None, read_fields(section, careful=True).fields)


@given(
    st.sampled_from(["text/plain", "text/html"]),
    st.sampled_from(["", "7bit", "8bit", "quoted-printable"]),
    st.lists(st.sampled_from(QUOTED), max_size=25).map("".join),
)
@settings(max_examples=1000)
def test_E4_bare_text_reads_the_same_both_ways(content_type: str, encoding: str, body: str) -> None:
    head = f"Content-Type: {content_type}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    raw = (head + body).encode()
    fast = fast_parts(raw)
    if fast is None or not is_bare_text(*split_headers(raw)):
        return
    one, other = sort_parts(fast), sort_parts(careful_parts(*split_headers(raw)))
    assert (one.text(), one.html_text()) == (other.text(), other.html_text())


@given(st.text(alphabet="ab \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u2028", max_size=40))
def test_E2_white_space_is_settled_as_by_words(text: str) -> None:
    assert settled(text) == " ".join(text.split())


@given(
    st.lists(st.sampled_from([b".", b"..", b"\r\n", b"\r\n.", b"x", b"text.\r\n", b"\r\n.x\r\n"]), max_size=12).map(
        b"".join
    ),
    st.integers(1, 9),
    st.sampled_from([8, 1 << 16]),
)
@settings(max_examples=1000)
async def test_E1_a_mail_ends_at_its_lone_full_stop(written: bytes, piece: int, limit: int) -> None:
    mail = written + b"\r\n"
    stuffed = (b"\r\n" + mail).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\nQUIT\r\n"
    reader = asyncio.StreamReader(limit=limit)
    for place in range(0, len(stuffed), piece):
        reader.feed_data(stuffed[place : place + piece])
    reader.feed_eof()
    assert await read_mail(reader, 1000) == mail
    assert await reader.readline() == b"QUIT\r\n"


@pytest.mark.parametrize(
    ("sent", "mail"), [(b".\r\n", b""), (b"\r\n.\r\n", b"\r\n"), (b"..\r\n.\r\n", b".\r\n"), (b"a\r\n.\r\n", b"a\r\n")]
)
async def test_E1_the_shortest_mails_end_too(sent: bytes, mail: bytes) -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(sent)
    reader.feed_eof()
    assert await read_mail(reader, 1000) == mail
