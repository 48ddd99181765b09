"""Organisations by domain, and phone numbers that are one."""

import pytest

from libs.free_mail import free_mail
from services.intake.customers_file import read_customers_file
from services.intake.domain.phone import phone_key

FILE = {
    "organisations": {"acme": {"name": "Acme", "tier": "vip", "domains": ["acme.example", "Acme-Shop.example"]}},
    "by_domain": True,
    "free_mail": ["post.example"],
}


@pytest.mark.parametrize(
    ("email", "organisation"),
    [
        ("ann@acme.example", "acme"),
        ("ann@acme-shop.example", "acme"),
        ("ann@mail.berlin.acme.example", "acme"),
        ("ann@notacme.example", "notacme.example"),
        ("ann@gmail.com", None),
        ("ann@web.de", None),
        ("ann@sub.post.example", None),
        ("ann@localhost", None),
        ("", None),
        (None, None),
    ],
)
def test_C5_an_organisation_is_known_by_its_domain_and_free_mail_is_none(email: str, organisation: str | None) -> None:
    found = read_customers_file(FILE).of(email)
    assert (found.key if found else None) == organisation
    assert (found.tier if found else None) == ("vip" if organisation == "acme" else None)


def test_C5_without_by_domain_only_what_is_written_is_an_organisation() -> None:
    organisations = read_customers_file({**FILE, "by_domain": False})
    assert organisations.of("ann@acme.example") is not None
    assert organisations.of("ann@other.example") is None
    assert read_customers_file({}).of("ann@acme.example") is None


def test_the_list_of_free_mail_domains_says_where_it_is_from() -> None:
    assert len(free_mail()) > 4000
    assert {"gmail.com", "gmx.de", "outlook.com", "proton.me", "t-online.de"} <= free_mail()
    assert not any(domain.startswith("#") or domain != domain.strip().lower() for domain in free_mail())


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"organisations": {"a": {"domains": ["x.example"]}, "b": {"domains": ["x.example"]}}}, "x.example is a's"),
        ({"organisations": {"a": {"domain": "x"}}}, "organisations.a.domain"),
        ({"organisations": {"a": {"domains": ["ann@x.example"]}}}, "organisations.a.domains.0"),
    ],
)
def test_a_wrong_customers_file_is_refused_by_name(document: object, reason: str) -> None:
    with pytest.raises(ValueError, match=r"customers\.yaml: ") as refused:
        read_customers_file(document)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("+49 30 1234-56", "+4930123456"),
        ("0049 (0)30 12 34 56", "+4930123456"),
        ("+49 (0) 30/123456", "+4930123456"),
        ("030 / 123 456", "030123456"),
        ("(030) 123456", "030123456"),
        ("extension 12", "extension 12"),
        ("  ", None),
        (None, None),
    ],
)
def test_C5_one_number_written_in_two_ways_is_one(written: str | None, key: str | None) -> None:
    assert phone_key(written) == key
