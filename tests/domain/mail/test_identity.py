"""E-2 and decisions 17: what makes two mails one."""

import pytest

from services.intake.mail.identity import mail_identity, synthetic_message_id
from services.intake.mail.parse import parse

MAIL = """\
From: ann@x.example
To: {to}
Subject: Parcel
Date: Tue, 3 Mar 2026 10:00:00 +0100
Message-ID: <1@x>
{more}
{body}"""


def identity(to: str = "help@shop.example", more: str = "", body: str = "Where is it?\n") -> str:
    return mail_identity(parse(MAIL.format(to=to, more=more, body=body).encode()))


@pytest.mark.parametrize(
    "other",
    [
        {"to": "sales@shop.example"},
        {"more": "Received: by another.example; Tue, 3 Mar 2026 10:00:01 +0100\n"},
        {"more": "Return-Path: <ann@x.example>\nX-Spam: no\n"},
        {"body": "Where is it? \r\n"},
        {"more": "Content-Transfer-Encoding: base64\n", "body": "V2hlcmUgaXMgaXQ/Cg==\n"},
    ],
)
def test_E2_one_mail_by_two_routes_is_one(other: dict[str, str]) -> None:
    assert identity(**other) == identity()


def test_E2_one_message_id_with_another_body_is_another_mail() -> None:
    assert identity(body="Where is she?\n") != identity()


def test_E2_another_attachment_is_another_mail() -> None:
    head = "Content-Type: multipart/mixed; boundary=b\n"
    body = "--b\n\nsee file\n--b\nContent-Disposition: attachment; filename=a.txt\n\n{}\n--b--\n"
    assert identity(more=head, body=body.format("one")) != identity(more=head, body=body.format("two"))


def test_E2_a_mail_without_message_id_gets_the_same_one_each_time() -> None:
    assert synthetic_message_id(identity()) == synthetic_message_id(identity(to="sales@shop.example"))
    assert synthetic_message_id(identity()).startswith("x.")
