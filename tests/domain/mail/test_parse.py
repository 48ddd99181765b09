"""E-4: what intake reads in a mail, and the repairs that keep what a customer wrote."""

from datetime import UTC, datetime

import pytest

from benchmarks.generated_mails import generated_mails
from services.intake.mail.addresses import Address, parse_addresses
from services.intake.mail.body import unflowed
from services.intake.mail.encoded_words import decode_words
from services.intake.mail.fast import fast_parts
from services.intake.mail.headers import split_headers
from services.intake.mail.parse import parse
from services.intake.mail.parts import Part, careful_parts
from services.intake.mail.threading_ids import MAX_IDS, message_ids

MIXED = b"""\
Return-Path: <ann@example.org>
From: =?utf-8?q?Ann_M=C3=BCller=2C_Lead?= <Ann@Example.ORG>
To: Help <help@shop.example>, "Sales, EU" <sales@shop.example>
Cc: team: bob@example.org, (Carol) carol@example.org;
Reply-To: ann.private@example.org
Subject: =?iso-8859-1?q?Gr=FC=DFe?= =?iso-8859-1?q?_aus?= Wien
Date: Tue, 3 Mar 2026 10:00:00 +0100
Message-ID: <one@example.org>
In-Reply-To: <parent@shop.example>
References: <root@shop.example>
\t<parent@shop.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Sch=F6ne Gr=FC=DFe
--inner
Content-Type: multipart/related; boundary=rel

--rel
Content-Type: text/html; charset=utf-8

<p>Sch\xc3\xb6ne <b>Gr\xc3\xbc\xc3\x9fe</b> <img src="cid:logo@example.org"></p>
--rel
Content-Type: image/png
Content-ID: <logo@example.org>
Content-Transfer-Encoding: base64

aGVsbG8=
--rel--
--inner--
--outer
Content-Type: application/pdf
Content-Disposition: attachment; filename*=utf-8''Rechnung%20%E2%82%AC.pdf
Content-Transfer-Encoding: base64

cGRm
--outer--
"""


def test_E4_a_mail_with_everything_is_read() -> None:
    mail = parse(MIXED)
    assert mail.from_ == Address("ann@example.org", "Ann Müller, Lead")
    assert [address.email for address in mail.to] == ["help@shop.example", "sales@shop.example"]
    assert [address.email for address in mail.cc] == ["bob@example.org", "carol@example.org"]
    assert mail.reply_to == (Address("ann.private@example.org"),)
    assert mail.return_path == "ann@example.org"
    assert mail.subject == "Grüße aus Wien"
    assert mail.date == datetime(2026, 3, 3, 9, tzinfo=UTC)
    assert mail.message_id == "one@example.org"
    assert mail.in_reply_to == ("parent@shop.example",)
    assert mail.references == ("root@shop.example", "parent@shop.example")
    assert mail.text == "Schöne Grüße"
    assert "<b>Grüße</b>" in mail.html
    assert mail.error is None


def test_E6_attachments_have_names_hashes_and_an_inline_mark() -> None:
    logo, invoice = parse(MIXED).attachments
    assert (logo.content_id, logo.content, logo.inline, logo.is_inline_image) == (
        "logo@example.org",
        b"hello",
        True,
        True,
    )
    assert (invoice.filename, invoice.content, invoice.inline) == ("Rechnung €.pdf", b"pdf", False)
    assert len(invoice.sha256) == 64
    assert parse(MIXED).regular_attachments == (invoice,)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Ann <ann@x.example>", [("ann@x.example", "Ann")]),
        ('"Doe, John" <j@x.example>', [("j@x.example", "Doe, John")]),
        ("ann@x.example (Ann A)", [("ann@x.example", "Ann A")]),
        ("=?utf-8?q?Doe=2C_J=C3=B6rg?= <j@x.example>", [("j@x.example", "Doe, Jörg")]),
        ("undisclosed-recipients:;", []),
        (
            "Group: a@x.example, b@x.example;, c@x.example",
            [("a@x.example", ""), ("b@x.example", ""), ("c@x.example", "")],
        ),
        ("<@relay.example:ann@x.example>", [("ann@x.example", "")]),
        ('"unclosed <ann@x.example>', [("ann@x.example", "")]),
        ("MAILER-DAEMON <>", [("", "MAILER-DAEMON")]),
        ("", []),
    ],
)
def test_E3_addresses(raw: str, expected: list[tuple[str, str]]) -> None:
    found = [(address.email, address.name) for address in parse_addresses(raw)]
    assert [one for one in found if one != ("", "")] == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("plain", "plain"),
        ("=?utf-8?b?w6TDtg==?=", "äö"),
        ("=?utf-8?q?a?= =?utf-8?q?b?= c", "ab c"),
        ("=?utf-8?b?4oI=?= =?utf-8?b?rA==?=", "€"),
        ("=?iso-2022-jp?b?GyRCJDMbKEI=?=", "こ"),
        ("=?no-such-charset?q?caf=C3=A9?=", "café"),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("=?utf-8*en?q?a?=", "a"),
    ],
)
def test_E5_encoded_words(raw: str, expected: str) -> None:
    assert decode_words(raw) == expected


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        pytest.param(b"Subject: x\nContent-Type: text/plain; charset=utf-8\n\ncaf\xe9", "café", id="wrong utf-8"),
        pytest.param(b"Subject: x\nContent-Type: text/plain; charset=x-none\n\ncaf\xc3\xa9", "café", id="unknown"),
        pytest.param(b"Subject: x\nContent-Type: text/plain; charset=zlib\n\nplain", "plain", id="no charset"),
        pytest.param(b"Subject: x\nContent-Type: text/plain; charset=gb2312\n\n\xc4\xe3\xba\xc3", "你好", id="gb2312"),
        pytest.param(
            b"Subject: x\nContent-Type: text/plain; charset=iso-2022-jp\n\n\xe7\x8c\xab", "猫", id="seven bits denied"
        ),
        pytest.param(b"Subject: x\nContent-Transfer-Encoding: base64\n\naGVs bG8=\n-- \nfooter", "hello", id="footer"),
        pytest.param(b"Subject: x\n\na\0b", "ab", id="NUL"),
        pytest.param(b"no header at all\n\nsecond", "no header at all\n\nsecond", id="no headers"),
        pytest.param(
            b"Subject: x\nThe blank line is missing\n\nmore", "The blank line is missing\n\nmore", id="no blank"
        ),
        pytest.param(b"Subject: x\nlost its indent\nFrom: a@b.example\n\ntext", "text", id="lost fold"),
        pytest.param(b"From MAILER Tue Mar  3 2026\nSubject: x\n\nmbox", "mbox", id="mbox"),
        pytest.param(b"Content-Type: multipart/mixed; boundary=x\n\nno sections", "no sections", id="no sections"),
        pytest.param(b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\nunclosed", "unclosed", id="unclosed"),
        pytest.param(b"Content-Type: text/html\n\n<p>one<br>two</p><style>x</style>", "one\ntwo", id="html only"),
    ],
)
def test_E4_what_a_customer_wrote_survives(raw: bytes, text: str) -> None:
    assert parse(raw).text.strip() == text


def test_E4_raw_bytes_in_a_header_are_utf8_or_marked_unreadable() -> None:
    assert parse("Subject: Frösche\n\n".encode()).subject == "Frösche"
    assert parse("Subject: Frösche\n\n".encode("latin-1")).subject == "Fr\ufffdsche"


def test_E1_what_is_too_deep_or_has_too_many_parts_is_an_error_with_its_headers() -> None:
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(50))
    assert parse(b"Subject: deep\n" + deep).error == "nested deeper than 20 levels"
    assert parse(b"Subject: deep\n" + deep).subject == "deep"
    many = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 1500
    assert parse(many).error == "more than 1000 parts"
    assert parse(b"").error == "empty"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("<a@x> <b@x>", ("a@x", "b@x")),
        ("<a@x>\n <b@x>,<a@x>", ("a@x", "b@x")),
        ("Your message of Monday <a@x>", ("a@x",)),
        ("a@x", ("a@x",)),
        ("<no-at-sign>", ("no-at-sign",)),
        ("none", ()),
    ],
)
def test_H1_message_ids_of_a_header(raw: str, expected: tuple[str, ...]) -> None:
    assert message_ids(raw) == expected


def test_H1_of_too_many_references_the_root_and_the_newest_stay() -> None:
    ids = message_ids(" ".join(f"<{n}@x>" for n in range(1000)))
    assert len(ids) == MAX_IDS
    assert (ids[0], ids[1], ids[-1]) == ("0@x", f"{1000 - MAX_IDS + 1}@x", "999@x")


def test_H1_further_parents_are_kept_among_the_references() -> None:
    mail = parse(b"In-Reply-To: <a@x> <b@x>\nReferences: <r@x>\n\n")
    assert (mail.in_reply_to, mail.references) == (("a@x",), ("r@x", "b@x"))


def test_E4_flowed_text_is_joined_within_one_depth_of_quotes() -> None:
    assert unflowed("one \ntwo\n> three \n> four\n-- \nsig") == "one two\n> three four\n-- \nsig"


def leaves(part: Part) -> list[tuple[str, str, bytes]]:
    if part.children:
        return [leaf for child in part.children for leaf in leaves(child)]
    return [(part.content_type, part.filename, part.content.replace(b"\r", b"").rstrip())]


def test_both_ways_to_the_tree_read_the_same() -> None:
    for raw in generated_mails(200):
        fast = fast_parts(raw)
        assert fast is not None
        assert leaves(fast) == leaves(careful_parts(*split_headers(raw)))
