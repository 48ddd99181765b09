"""A notice as a mail: ids that survive, marks that machines understand, and no header that nobody wrote (E-8, A-2)."""

from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.mail_ids import reply_message_id, verify_message_id
from libs.contracts.notice import NoticeKind
from services.notifier.sender.letter import Claimed, Enclosure, Letter, loop_mark, write_letter
from tests.domain.notifier.desk import CONFIG

KEY = b"a key of at least thirty-two bytes"
TICKET, MESSAGE = "0198c2f5-0b7e-7d21-a3f0-5e9c1d7b4a03", "0198c2f5-0b7e-7d21-a3f0-5e9c1d7b4a04"
OURS = reply_message_id(KEY, TICKET, MESSAGE, "support.example.com")
NOTICE = Claimed(
    ticket=TICKET,
    id="a4cb141204e58b1928473a3e",
    kind=NoticeKind.REPLY,
    cause="c/1",
    recipient="ann@example.org",
    automatic=False,
    fact_at=datetime(2026, 6, 15, tzinfo=UTC),
    created_at=datetime(2026, 6, 15, tzinfo=UTC),
    subject="[SB-1] Re: Grüße",
    text="Guten Tag\n",
    sender="help@support.example.com",
    reply_to="help+sb-1.abcdefgh@support.example.com",
    message_id=OURS,
    in_reply_to="first@example.org",
    thread=f"older@example.org {OURS} first@example.org",
    answers=True,
    source_message=MESSAGE,
    attachments=None,
    trace=None,
    attempts=1,
)
HEADERS = {
    *("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"),
    *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
}
AUTOMATIC = {"Auto-Submitted", "X-Auto-Response-Suppress", "X-Signalbox-Loop"}


def read(letter: Letter) -> EmailMessage:
    mail = BytesParser(policy=policy.default).parsebytes(letter.content)
    assert isinstance(mail, EmailMessage)
    return mail


def write(notice: Claimed = NOTICE, *enclosures: Enclosure) -> Letter:
    return write_letter(notice, CONFIG.mail, KEY, enclosures)


def test_E8_ids_longer_than_a_line_stay_as_they_are() -> None:
    letter = write()
    assert len(OURS) > 78
    assert f"Message-ID: <{OURS}>\r\n".encode() in letter.content
    assert f"References: <older@example.org>\r\n <{OURS}>\r\n <first@example.org>\r\n".encode() in letter.content
    assert b"In-Reply-To: <first@example.org>\r\n" in letter.content


def test_the_same_notice_gives_the_same_mail() -> None:
    assert write() == write(replace(NOTICE, attempts=7))


def test_E8_an_answer_comes_from_the_mailbox_and_bounces_to_its_plus_address() -> None:
    letter = write()
    mail = read(letter)
    assert set(mail.keys()) == HEADERS
    assert mail["From"] == "Lumen Lights Support <help@support.example.com>"
    assert letter.sender == mail["Reply-To"] == "help+sb-1.abcdefgh@support.example.com"


def test_A2_an_automatic_mail_says_so_and_has_no_envelope_sender() -> None:
    letter = write(replace(NOTICE, automatic=True, message_id=None, reply_to=None))
    mail = read(letter)
    assert set(mail.keys()) == HEADERS - {"Reply-To"} | AUTOMATIC
    assert (letter.sender, mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("", "auto-replied", "All")
    found = verify_message_id([KEY], str(mail["Message-ID"]))
    assert found is not None
    assert (found.kind, found.ticket, found.item) == ("n", TICKET, NOTICE.id)


def test_A2_the_loop_mark_is_ours_alone() -> None:
    assert loop_mark(KEY, "a.example") == loop_mark(KEY, "a.example")
    assert len({loop_mark(KEY, "a.example"), loop_mark(KEY, "b.example"), loop_mark(KEY + b"x", "a.example")}) == 3


LINES = st.text(st.characters(codec="utf-8"), max_size=40).map(lambda text: f"{text}\r\nBcc: eve@example.org\n X: 1")


@given(subject=LINES, thread=LINES, text=LINES, replied=LINES)
def test_no_value_becomes_a_header(subject: str, thread: str, text: str, replied: str) -> None:
    try:
        letter = write(replace(NOTICE, subject=subject, thread=thread, text=text, in_reply_to=replied))
    except ValueError:
        return
    assert set(read(letter).keys()) <= HEADERS


@pytest.mark.parametrize(
    "address", ["ann@example.org\r\nBcc: eve@example.org", "", "a b@c", "@", "ann@example.org, b@c.de"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="cannot be written to"):
        write(replace(NOTICE, recipient=address))


def test_what_is_no_message_id_is_left_out() -> None:
    mail = read(write(replace(NOTICE, in_reply_to="grüße@x", thread=f"ok@x {'y' * 300}@x <also-ok@x>")))
    assert mail["References"] == "<ok@x> <also-ok@x>"
    assert mail["In-Reply-To"] is None


def test_text_arrives_as_it_was_written() -> None:
    text = "Grüße\n.\nFrom here\n" + "x" * 2000 + "\n"
    letter = write(replace(NOTICE, text=text))
    assert read(letter).get_content().splitlines() == text.splitlines()
    assert max(len(line) for line in letter.content.split(b"\r\n")) <= 998
    assert letter.content.isascii()


def test_attachments_are_enclosed() -> None:
    mail = read(write(NOTICE, Enclosure("Rechnung März.pdf", "application/pdf", b"\x00\xff")))
    (part,) = mail.iter_attachments()
    assert (part.get_filename(), part.get_content()) == ("Rechnung März.pdf", b"\x00\xff")


@pytest.mark.parametrize(
    ("addressed", "to", "cc"),
    [
        pytest.param(None, "ann@example.org", None, id="one recipient"),
        pytest.param(
            "eve@x.example bob@y.example cy@z.example", "eve@x.example", "bob@y.example, cy@z.example", id="all"
        ),
        pytest.param(" bob@y.example", None, "bob@y.example", id="only copies"),
        pytest.param("no-address", None, None, id="nobody can write to who it was for"),
        pytest.param("eve@x.example", "eve@x.example", None, id="the others were erased since"),
    ],
)
def test_M3_whoever_gets_an_answer_sees_who_gets_it_as_well(
    addressed: str | None, to: str | None, cc: str | None
) -> None:
    letter = write(replace(NOTICE, addressed=addressed))
    mail = read(letter)
    assert letter.recipient == "ann@example.org"
    assert (mail["To"], mail["Cc"]) == (to, cc)
