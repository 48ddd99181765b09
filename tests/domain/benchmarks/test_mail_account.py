"""What the mail benchmark calls lost and duplicated, and that its mails are what it says."""

import pytest

from benchmarks.generated_mails import Generated, generated
from benchmarks.mail.journeys import Account, Outcome, Ticket, account
from services.intake.mail.parse import parse
from services.intake.mail_frames import Misframed, framed, unframed


def test_three_mails_in_ten_answer_an_earlier_one_of_the_same_person() -> None:
    mails = generated(1000)
    answers = [mail for mail in mails if mail.answers is not None]
    assert 250 < len(answers) < 350
    for mail in answers:
        assert mail.answers is not None
        read, before = parse(mail.raw), parse(mail.answers.raw)
        assert (read.in_reply_to, read.from_) == ((mail.answers.id,), before.from_)
        assert before.in_reply_to == ()
    assert [mail.raw for mail in generated(1000)] == [mail.raw for mail in mails]


def done() -> Ticket:
    return Ticket(opened=1, routed_at=1.0, timed_at=2.0)


@pytest.fixture
def mails() -> list[Generated]:
    first = Generated("1", 7, "", None, b"")
    return [first, Generated("2", 7, "", first, b"")]


def test_a_mail_and_its_answer_in_one_ticket_are_neither_lost_nor_duplicated(mails: list[Generated]) -> None:
    assert account(mails, Outcome({"t": done()}, {"1": ["t"], "2": ["t"]}, {})) == Account(0, 0)


@pytest.mark.parametrize(
    ("tickets", "places", "expected"),
    [
        ({"t": done()}, {"1": ["t"]}, Account(1, 0)),
        ({"t": Ticket(opened=1, routed_at=1.0)}, {"1": ["t"], "2": ["t"]}, Account(2, 0)),
        ({"t": done(), "u": done()}, {"1": ["t"], "2": ["u"]}, Account(1, 1)),
        ({"t": done()}, {"1": ["t", "t"], "2": ["t"]}, Account(1, 1)),
    ],
)
def test_what_is_missing_apart_or_there_twice_counts(
    mails: list[Generated], tickets: dict[str, Ticket], places: dict[str, list[str]], expected: Account
) -> None:
    assert account(mails, Outcome(tickets, places, {})) == expected


def test_mails_in_one_body_come_out_as_they_went_in() -> None:
    mails = [b"one", b"", b"x" * 70_000]
    assert list(unframed(framed(mails))) == mails
    for cut in (1, 5, 80_000):
        with pytest.raises(Misframed):
            list(unframed(framed([*mails, b"y" * 100_000])[:-cut]))
