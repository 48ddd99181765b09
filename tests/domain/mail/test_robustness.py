"""E-1: no bytes raise, and no bytes of a megabyte keep a worker busy."""

import random
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.generated_mails import generated_mails
from services.intake.mail.automatic import subtype, suppress_autoreply
from services.intake.mail.bounce import read_bounce
from services.intake.mail.identity import mail_identity
from services.intake.mail.message import Mail
from services.intake.mail.message_ids import threading
from services.intake.mail.parse import parse
from services.intake.mail.reply import visible_reply
from services.intake.mail.sanitise import clean_html
from services.intake.mail.subject import normalised_subject, references

MEGABYTE = 1_000_000
# generous, for a busy machine: what is quadratic takes minutes
SECONDS = 2.0
PLAIN = b"From: a@b.example\nSubject: x\n\n"
HTML = b"Content-Type: text/html\n\n"
MULTIPART = b"Content-Type: multipart/mixed; boundary=b\n\n"
SEEDS = [
    *generated_mails(40, seed=7),
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nx",
]

PIECES = [
    *(b"Content-Type: ", b"multipart/mixed", b"; boundary=b", b"text/html", b"message/rfc822", b"; charset=utf-7"),
    *(b"Content-Transfer-Encoding: base64", b"From: ", b"Subject: ", b"a@b", b"=?", b"utf-8?q?", b"?=", b"On 1 wrote:"),
    *(
        b"<p>",
        b"&#xD800;",
        b"+2AA-",
        b"--b",
        b"--",
        b"<",
        b">",
        b'"',
        b"(",
        b"=",
        b" ",
        b"\n",
        b"\n\n",
        b"\r",
        b"\xff",
        b"\0",
    ),
]


def everything(raw: bytes) -> Mail:
    mail = parse(raw)
    subtype(mail)
    suppress_autoreply(mail)
    read_bounce(mail)
    visible_reply(mail.text)
    clean_html(mail.html)
    normalised_subject(mail.subject)
    references(mail.subject)
    threading(mail, [b"k" * 16])
    mail_identity(mail)
    return mail


def storable(mail: Mail) -> bool:
    texts = (mail.subject, mail.text, mail.html, mail.message_id, mail.from_.email, mail.from_.name, *mail.references)
    return all("\0" not in text and text.encode("utf-8") is not None for text in texts)


@given(st.binary(max_size=2000))
def test_E1_any_bytes_make_a_mail_that_can_be_stored(raw: bytes) -> None:
    assert storable(everything(raw))


@given(st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join))
@settings(max_examples=300)
def test_E1_any_pieces_of_mail_make_a_mail_that_can_be_stored(raw: bytes) -> None:
    assert storable(everything(raw))


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 40_000), st.binary(max_size=8)), max_size=8))
def test_E1_damaged_mail_makes_a_mail_that_can_be_stored(raw: bytes, damages: list[tuple[int, bytes]]) -> None:
    for position, bytes_ in damages:
        at = position % len(raw)
        raw = raw[:at] + bytes_ + raw[at + len(bytes_) :]
    assert storable(everything(raw))


@pytest.mark.parametrize(
    ("head", "filling"),
    [
        pytest.param(PLAIN, b"On ", id="one long opening"),
        pytest.param(PLAIN, b"On a 1 @\n", id="openings"),
        pytest.param(PLAIN, b"On a 1 @ wrote x:\n", id="near attributions"),
        pytest.param(PLAIN, b"From: a\nTo: b\n", id="header blocks"),
        pytest.param(PLAIN, b"-- \n", id="signatures"),
        pytest.param(PLAIN, b"> ", id="one long quote"),
        pytest.param(PLAIN, b"a@b", id="addresses"),
        pytest.param(HTML, b"<", id="open brackets"),
        pytest.param(HTML, b"<!--", id="comments"),
        pytest.param(HTML, b"<div>", id="deep markup"),
        pytest.param(HTML, b"<div></b>", id="deep markup with false ends"),
        pytest.param(HTML, b"<blockquote>", id="deep quotes"),
        pytest.param(HTML, b"&", id="ampersands"),
        pytest.param(b"Subject: ", b"=?", id="half encoded words"),
        pytest.param(b"Subject: ", b"=?utf-8?q?a?= ", id="encoded words"),
        pytest.param(b"Subject: ", b"Re: [a] ", id="marks"),
        pytest.param(b"From: ", b"(", id="comments of addresses"),
        pytest.param(b"From: ", b'"\\"', id="quotes of addresses"),
        pytest.param(b"References: ", b"<a@b> ", id="references"),
        pytest.param(b"", b"a: b\n", id="headers"),
        pytest.param(b"a: b", b"\n x", id="folds"),
        pytest.param(b"Content-Type: text/plain", b';a="', id="parameters"),
        pytest.param(MULTIPART, b"--b\n\nx\n", id="parts"),
        pytest.param(b"", b"Content-Type: multipart/mixed; boundary=b\n\n--b\n", id="nested parts"),
        pytest.param(b"", b"Content-Type: message/rfc822\n\n", id="nested mails"),
        pytest.param(b"Content-Transfer-Encoding: base64\n\n", b"A\n", id="base64"),
        pytest.param(b"Content-Type: text/plain; charset=punycode\n\n", b"a-", id="punycode"),
        pytest.param(b"", b"From x\n", id="mbox lines"),
        pytest.param(b"Return-Path: <>\n\n", b"message-id: <a\n", id="quoted ids"),
    ],
)
def test_E1_a_megabyte_of_anything_takes_linear_time(head: bytes, filling: bytes) -> None:
    raw = head + filling * (MEGABYTE // len(filling))
    began = process_time()
    everything(raw)
    assert process_time() - began < SECONDS


def test_E1_a_megabyte_of_noise_takes_linear_time() -> None:
    began = process_time()
    everything(random.Random(3).randbytes(MEGABYTE))
    assert process_time() - began < SECONDS
