"""Which ticket a mail says it belongs to, by proof or by mention (behaviour H-1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from libs.contracts.mail_ids import OwnMailId, verify_body_marks, verify_message_id, verify_plus_address
from services.intake.mail.message import Mail
from services.intake.mail.subject import references as subject_references

MARK, MAX_TEXT = "[ref:", 100_000
ENVELOPE_HEADERS = ("x-original-to", "delivered-to", "envelope-to")


@dataclass(frozen=True, slots=True)
class Threading:
    """What a mail offers for finding its ticket, in the order of trust (H-1).

    `plus_tokens` and `own_ids` are proved by our HMAC. `known_ids` are all ids the mail names, the nearest first:
    In-Reply-To, then References from right to left; they prove nothing. `subject_references` prove least. `marks` are
    ours, but whoever was forwarded a mail of ours has them too.
    """

    plus_tokens: tuple[str, ...]
    own_ids: tuple[OwnMailId, ...]
    known_ids: tuple[str, ...]
    subject_references: tuple[str, ...]
    marks: tuple[str, ...] = ()


def threading(mail: Mail, keys: Sequence[bytes], recipients: Sequence[str] = ()) -> Threading:
    """The offers of `mail`; `recipients` are those of the SMTP envelope, which know of Bcc and forwarding."""
    near = dict.fromkeys((*mail.in_reply_to, *reversed(mail.references)))
    own = (verify_message_id(keys, id_) for id_ in near)
    return Threading(
        plus_tokens=_plus_tokens(mail, keys, recipients),
        own_ids=tuple(dict.fromkeys(id_ for id_ in own if id_)),
        known_ids=tuple(near),
        subject_references=subject_references(mail.subject),
        marks=verify_body_marks(keys, mail.text[:MAX_TEXT]) if MARK in mail.text else (),
    )


def _plus_tokens(mail: Mail, keys: Sequence[bytes], recipients: Sequence[str]) -> tuple[str, ...]:
    envelope = [value for name in ENVELOPE_HEADERS for value in mail.headers.all(name)]
    addresses = [*recipients, *(address.email for address in (*mail.to, *mail.cc)), *envelope]
    tokens = (verify_plus_address(keys, address) for address in addresses if "+" in address)
    return tuple(dict.fromkeys(token for token in tokens if token))
