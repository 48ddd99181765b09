"""H-6, A-1: what a trusted mail server found out about a sender."""

import pytest

from services.intake.mail.authentication import verified_sender
from services.intake.mail.parse import parse

TRUSTED = frozenset({"mx.us.example"})


@pytest.mark.parametrize(
    ("results", "verified"),
    [
        ("mx.us.example; dmarc=pass header.from=shop.example", True),
        ("mx.us.example 1; dkim=pass (2048 bit) header.d=shop.example header.s=k", True),
        ("mx.us.example; spf=pass smtp.mailfrom=bounces@shop.example", True),
        ("mx.us.example; dkim=pass header.d=example", None),
        ("mx.us.example; dkim=pass header.d=other.example", None),
        ("mx.us.example; dkim=pass header.d=evil-shop.example", None),
        ("mx.us.example; dkim=fail header.d=shop.example", None),
        ("mx.us.example; dkim=pass header.d=shop.example; dmarc=fail (p=reject) header.from=shop.example", False),
        ("mx.us.example; none", None),
        ("mx.elsewhere.example; dmarc=pass header.from=shop.example", None),
        ("mx.elsewhere.example; dmarc=fail", None),
        ("MX.US.EXAMPLE; DMARC=PASS", True),
        ("mx.us.example; (dmarc=pass) spf=none", None),
        ("", None),
    ],
)
def test_H6_a_sender_is_verified_by_a_trusted_server_only(results: str, verified: bool | None) -> None:
    raw = f"From: Ada <ada@shop.example>\nAuthentication-Results: {results}\n\nx\n".encode()
    assert verified_sender(parse(raw), TRUSTED) is verified


def test_H6_a_domain_speaks_for_those_below_it_and_not_for_those_above() -> None:
    below = b"From: a@mail.shop.example\nAuthentication-Results: mx.us.example; dkim=pass header.d=shop.example\n\nx"
    above = b"From: a@shop.example\nAuthentication-Results: mx.us.example; dkim=pass header.d=mail.shop.example\n\nx"
    assert (verified_sender(parse(below), TRUSTED), verified_sender(parse(above), TRUSTED)) == (True, None)


def test_H6_a_failure_counts_more_than_any_number_of_passes() -> None:
    raw = b"Authentication-Results: mx.us.example; dmarc=pass\nAuthentication-Results: mx.us.example; dmarc=fail\n"
    assert verified_sender(parse(raw + b"From: a@shop.example\n\nx"), TRUSTED) is False
