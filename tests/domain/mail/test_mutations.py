"""E-1: damaged mails, made from a seed. `signalbox bench mail-fuzz` does the same by the hundred thousand."""

import pytest

from benchmarks.mail_fuzz import reading, whole
from benchmarks.mutated_mails import LARGEST, mutated_mails
from services.intake.inbound.letter import Way
from services.intake.mail.sanitise import clean_html
from services.intake.mail.transfer import base64_bytes


async def test_E1_no_damaged_mail_raises() -> None:
    assert (await reading(mutated_mails(1500, seed=1)))["raised"] == []


def test_E1_a_seed_makes_the_same_mails() -> None:
    first, again, other = (list(mutated_mails(60, seed)) for seed in (5, 5, 6))
    assert first == again != other
    assert all(len(raw) <= LARGEST for raw in first)


def test_E1_every_damaged_mail_goes_one_way_and_has_an_id() -> None:
    letters = [whole(raw) for raw in mutated_mails(400, seed=2)]
    assert {letter.way for letter in letters} >= {Way.WRITTEN, Way.SUSPENDED}
    assert all(letter.key and letter.identity for letter in letters)
    assert all((letter.way is Way.SUSPENDED) is bool(letter.reason) for letter in letters)


@pytest.mark.parametrize(
    "markup",
    [
        "".join(f"<b id={n}>" for n in range(900)) + "<p>x" * 5000,
        "<a " + " ".join(f"a{n}=1" for n in range(50_000)) + ">",
        "<div>" * 200_000,
        "&amp;" * 200_000,
        "a\xa0 " * 200_000,
    ],
    ids=["formatting that is never closed", "attributes", "depth", "references", "hard blanks"],
)
def test_E1_html_that_would_keep_the_cleaner_busy_is_not_cleaned(markup: str) -> None:
    assert clean_html(markup) is None


def test_E4_html_as_shops_write_it_is_cleaned() -> None:
    row = "<tr><td><font color='red'><b>Lamp</b></font></td><td><a href='https://shop.example/1'>See</a></td></tr>"
    assert clean_html(f"<table>{row * 1000}</table>") is not None


@pytest.mark.parametrize("written", [b"aGk=aGk=", b"aGk==x", b"a=b=c=d=e", b"\xffaG=k", b"=", b"a"])
def test_E1_base64_of_any_kind_gives_bytes(written: bytes) -> None:
    assert isinstance(base64_bytes(written), bytes)
