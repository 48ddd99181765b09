"""A-1, A-5, A-6, A-7: machines are recognised, people are answered."""

import pytest

from services.intake.mail.automatic import (
    Subtype,
    is_automatic,
    is_autoreply,
    is_bounce,
    subtype,
    suppress_autoreply,
)
from services.intake.mail.bounce import FailedRecipient, read_bounce
from services.intake.mail.message import Mail
from services.intake.mail.parse import parse


def mail(*headers: str, sender: str = "Ann <ann@customer.example>", text: str = "Hello") -> Mail:
    return parse("\n".join([f"From: {sender}", "Subject: Help", *headers, "", text]).encode())


DSN = b"""\
Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example>
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type="delivery-status"; boundary=b

--b

I'm sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; Gone@customer.example
Original-Recipient: rfc822;ann@customer.example
Action: %(action)s
Status: %(status)s

--b
Content-Type: text/rfc822-headers

From: support@shop.example
Message-ID: <t.1.2.abcdefgh@shop.example>
--b--
"""


@pytest.mark.parametrize(
    ("value", "automatic"),
    [
        ("no", False),
        ("No", False),
        ("no (a person wrote this)", False),
        ('no; owner-email="x"', False),
        ("", False),
        ("auto-replied", True),
        ("auto-generated (vacation); x=no", True),
        ("AUTO-NOTIFIED", True),
        ("notified", True),
        ("none", True),
        ("(no) auto-replied", True),
    ],
)
def test_A1_auto_submitted_any_keyword_but_no_is_automatic(value: str, automatic: bool) -> None:
    assert is_automatic(mail(f"Auto-Submitted: {value}")) is automatic
    assert suppress_autoreply(mail(f"Auto-Submitted: {value}")) is automatic


@pytest.mark.parametrize(
    ("header", "silent"),
    [
        ("X-Auto-Response-Suppress: All", True),
        ("X-Auto-Response-Suppress: DR, OOF, AutoReply", True),
        ("X-Auto-Response-Suppress: DR", False),
        ("X-Auto-Response-Suppress: None", False),
        ("List-Id: <news.shop.example>", True),
        ("List-Unsubscribe: <mailto:x@y.example>", True),
        ("Precedence: bulk", True),
        ("Precedence: first-class", False),
        ("Feedback-ID: 1:2:3:shop", True),
        ("Return-Path: <>", True),
        ("Return-Path: <ann@customer.example>", False),
        ("X-Loop: other-desk", True),
        ("Reply-To: noreply@customer.example", True),
        ("Content-Language: en", False),
    ],
)
def test_A1_suppression_covers_lists_campaigns_and_wishes(header: str, silent: bool) -> None:
    assert suppress_autoreply(mail(header)) is silent


@pytest.mark.parametrize(
    ("sender", "silent"),
    [
        ("no-reply@shop.example", True),
        ("orders-noreply@shop.example", True),
        ("do_not_reply@shop.example", True),
        ("noreply+123@shop.example", True),
        ("mailer-daemon@mx.example", True),
        ("postmaster@mx.example", True),
        ("Nobody", True),
        ("norepublic@person.example", False),
        ("reply@person.example", False),
        ("ann@own.example", True),
        ("box@elsewhere.example", True),
        ("ann@notown.example", False),
    ],
)
def test_A1_some_senders_are_never_answered(sender: str, silent: bool) -> None:
    own = {"own.example"}, {"box@elsewhere.example"}
    assert suppress_autoreply(mail(sender=sender), *own) is silent


def test_A1_a_dmarc_failure_counts_from_a_trusted_server_only() -> None:
    failed = mail("Authentication-Results: mx.own.example; spf=pass; dmarc=fail (p=reject)")
    assert suppress_autoreply(failed, trusted_servers={"mx.own.example"})
    assert not suppress_autoreply(failed, trusted_servers={"mx.other.example"})


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        (["Auto-Submitted: auto-replied"], Subtype.AUTOREPLY),
        (["Auto-Submitted: auto-generated", "In-Reply-To: <a@b>"], Subtype.AUTOREPLY),
        (["Auto-Submitted: auto-generated"], Subtype.GENERATED),
        (["X-Autoreply: yes"], Subtype.AUTOREPLY),
        (["X-Autoreply: no"], None),
        (["Subject: Automatische Antwort: Rechnung"], Subtype.AUTOREPLY),
        (["Subject: Out of office"], Subtype.AUTOREPLY),
        (["Subject: Re: Automatic reply: Rechnung"], None),
        (["Content-Type: multipart/report; report-type=disposition-notification"], Subtype.RECEIPT),
        (["Subject: Please confirm your message"], Subtype.CHALLENGE),
        (["X-Delivery-Agent: TMDA/1.1"], None),
        (["Precedence: list"], Subtype.LIST),
        (["Precedence: bulk"], Subtype.BULK),
        ([], None),
    ],
)
def test_A5_A7_subtypes(headers: list[str], kind: Subtype | None) -> None:
    subjects = [header for header in headers if header.startswith("Subject:")]
    raw = "\n".join(["From: ann@customer.example", *(subjects or ["Subject: Help"]), *(set(headers) - set(subjects))])
    assert subtype(parse(f"{raw}\n\nHello".encode())) is kind


def test_A7_the_answer_to_an_invitation_is_automatic_and_the_invitation_is_not() -> None:
    answer = mail("Content-Type: text/calendar; method=REPLY", text="BEGIN:VCALENDAR\nMETHOD:REPLY\nEND:VCALENDAR")
    invitation = mail("Content-Type: text/calendar", text="BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR")
    assert subtype(answer) is Subtype.CALENDAR
    assert subtype(invitation) is None


@pytest.mark.parametrize(
    ("action", "status", "bounce", "permanent"),
    [
        (b"failed", b"5.1.1", True, True),
        (b"failed", b"4.4.1", True, False),
        (b"delayed", b"4.4.7", True, False),
        (b"delivered", b"2.0.0", False, False),
        (b"relayed", b"2.0.0", False, False),
    ],
)
def test_A6_a_delivery_report_names_mail_recipient_and_status(
    action: bytes, status: bytes, bounce: bool, permanent: bool
) -> None:
    report = parse(DSN % {b"action": action, b"status": status})
    details = read_bounce(report)
    assert is_bounce(report) is bounce
    assert not is_autoreply(report)
    assert suppress_autoreply(report)
    assert details.message_ids == ("t.1.2.abcdefgh@shop.example",)
    assert details.permanent is permanent
    if bounce:
        assert details.recipients == (FailedRecipient("ann@customer.example", status.decode(), permanent),)


def test_A6_a_report_in_words_is_a_bounce_too() -> None:
    text = "This message was created automatically.\n\n  gone@customer.example:\n    550 5.1.1 user unknown\n"
    text += "\n------ headers ------\nMessage-ID: <t.1.2.abcdefgh@shop.example>\n"
    report = mail("X-Failed-Recipients: gone@customer.example", sender="Mailer-Daemon@mx.example", text=text)
    assert is_bounce(report)
    assert read_bounce(report).message_ids == ("t.1.2.abcdefgh@shop.example",)
    assert read_bounce(report).recipients == (FailedRecipient("gone@customer.example", "5.1.1", True),)


def test_A6_a_customer_who_forwards_a_bounce_is_a_customer() -> None:
    raw = DSN % {b"action": b"failed", b"status": b"5.1.1"}
    forward = b"From: ann@customer.example\nSubject: what is this\nContent-Type: multipart/mixed; boundary=o\n\n--o\n\n"
    forward += b"My order mail could not be delivered?\n--o\nContent-Type: message/rfc822\n\n" + raw + b"\n--o--\n"
    assert not is_bounce(parse(forward))
    assert not suppress_autoreply(parse(forward))


def test_A6_a_person_at_postmaster_is_no_bounce() -> None:
    assert not is_bounce(mail("Return-Path: <postmaster@customer.example>", sender="Pat <postmaster@customer.example>"))
