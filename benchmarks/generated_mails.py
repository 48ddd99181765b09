"""Mails as a support mailbox gets them, made from a seed: 3.7 KB in the mean, a tenth with HTML of 20 KB and a file."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

TEXT = """
refund parcel voucher colour receipt charger cable account password invoice address courier return exchange
size order basket card payment statement website app button page phone screen battery garden
lamp table chair kettle please today yesterday still again never twice arrived missing broken
late wrong with without from about because
"""
WORDS = TEXT.split()
BEGIN = datetime(2026, 3, 2, 7, tzinfo=UTC)
REPLIES = 0.3
BIG = 0.1
PEOPLE = 500
GAP = 40
"""A mail is answered by one that comes so many later at least: people read before they write again."""
SUPPORT = "support@shop.example"


@dataclass(frozen=True, slots=True)
class Generated:
    """A mail. id: its Message-ID without brackets; answers: the mail it answers, which is no answer itself."""

    id: str
    who: int
    subject: str
    answers: "Generated | None"
    raw: bytes


def generated_mails(count: int, seed: int | str = 1) -> list[bytes]:
    """`count` mails; three in ten answer an earlier one of the same person. The same seed makes the same mails."""
    return [mail.raw for mail in generated(count, seed)]


def generated(count: int, seed: int | str = 1, to: str = SUPPORT) -> list[Generated]:
    """The same with what was generated."""
    chance = random.Random(seed)
    # of those that come before an answer is possible none is one, so the others are a little more often
    share = REPLIES / max(0.1, 1 - GAP / max(1, count))
    mails: list[Generated] = []
    beginnings: list[Generated] = []
    for number in range(count):
        if number >= GAP and mails[number - GAP].answers is None:
            beginnings.append(mails[number - GAP])
        parent = chance.choice(beginnings) if beginnings and chance.random() < share else None
        mails.append(_generated(chance, f"{seed}.{number}@shop-customers.example", number, parent, to))
    return mails


def _generated(chance: random.Random, id: str, number: int, parent: Generated | None, to: str) -> Generated:
    who = parent.who if parent else chance.randrange(PEOPLE)
    subject = f"Re: {parent.subject}" if parent else f"{_words(chance, 6)} {number}"
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f"{WORDS[who % len(WORDS)].title()} Customer {who} <customer{who}@shop-customers.example>"
    mail["To"] = f"Support <{to}>"
    mail["Subject"] = subject
    mail["Date"] = format_datetime(BEGIN + timedelta(seconds=7 * number))
    mail["Message-ID"] = f"<{id}>"
    if parent:
        mail["In-Reply-To"] = mail["References"] = f"<{parent.id}>"
    lines = "\n".join(f"{_words(chance, 11)}." for _ in range(chance.randint(4, 14)))
    mail.set_content(f"Hello,\n\n{lines}\n\nKind regards\nCustomer {who}\n")
    if chance.random() < BIG:
        _grow(mail, chance, number)
    return Generated(id, who, subject, parent, mail.as_bytes())


def _grow(mail: EmailMessage, chance: random.Random, number: int) -> None:
    paragraphs = "".join(f"<p style='color:#222'>{_words(chance, 20)}</p>" for _ in range(125))
    mail.add_alternative(f"<html><body>{paragraphs}</body></html>", subtype="html")
    mail.add_attachment(chance.randbytes(2048), maintype="application", subtype="pdf", filename=f"receipt-{number}.pdf")
    for level, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"=={number}.{level}==")


def _words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(count))
