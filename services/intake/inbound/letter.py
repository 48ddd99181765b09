"""A mail as the decisions need it: what it is, who wrote it, what it belongs to. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from services.intake.acceptance import storable
from services.intake.domain.decision import By
from services.intake.domain.via import Via, through
from services.intake.inbound.outcome import Because
from services.intake.mail.addresses import Address
from services.intake.mail.authentication import verified_sender
from services.intake.mail.automatic import Subtype, is_delivery_report, refuses_answers, subtype
from services.intake.mail.identity import mail_identity, synthetic_message_id
from services.intake.mail.message import Mail
from services.intake.mail.message_ids import ENVELOPE_HEADERS, Threading, threading
from services.intake.mail.parse import parse
from services.intake.mail_file import MailPolicy

LONGEST_KEY = 250
ANSWERS = frozenset({Subtype.AUTOREPLY, Subtype.RECEIPT, Subtype.CALENDAR, Subtype.CHALLENGE, Subtype.FEEDBACK})


@dataclass(frozen=True, slots=True)
class Received:
    """A receipt whose mail is to be settled. imported: it is no news; nobody waits for an answer. released: it was
    suspended, and a person wants it all the same.
    """

    id: int
    raw: bytes
    received_at: datetime
    sender: str | None = None
    recipients: tuple[str, ...] = ()
    imported: bool = False
    released: bool = False


class Way(StrEnum):
    """How a mail goes on. `written`: opens a ticket or joins one. `answer`: made by a program, joins only (A-5)."""

    WRITTEN = "written"
    ANSWER = "answer"
    BOUNCE = "bounce"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Letter:
    """A read mail. key: the Message-ID it is known by; ids: all ids it names, its own first, nearest next.

    origin: hash of author and date, the same for one mail changed on its way. because, reason: why it is suspended.
    verified: whether a trusted server found that From tells the truth; None if it says nothing. also: further mailboxes
    of ours that it is addressed to.
    """

    receipt: Received
    mail: Mail
    way: Way
    kind: Subtype | None
    author: Address
    mailbox: str | None
    suppressed: bool
    identity: str
    origin: str
    key: str
    offers: Threading
    known_ids: tuple[str, ...]
    verified: bool | None = None
    also: tuple[str, ...] = ()
    because: Because | None = None
    reason: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id that leads to its ticket."""
        return (self.key, *self.known_ids)

    @property
    def by_machine(self) -> bool:
        """Written by a program, for all we know."""
        return self.kind in ANSWERS or self.kind is Subtype.GENERATED


def by(letter: Letter, actor: str) -> By:
    """Who makes something happen by a mail."""
    return By(actor, cause=through(Via.MAIL, letter.receipt.id))


def read(receipt: Received, policy: MailPolicy, keys: Sequence[bytes]) -> Letter:
    """Read a mail; never raises for what the bytes are."""
    mail = parse(receipt.raw, None if receipt.sender is None else storable(receipt.sender))
    identity = mail_identity(mail)
    addressed = _addressed(receipt, mail)
    mailbox = policy.mailbox(addressed)
    author = _author(receipt, mail, policy.defaults(mailbox).trusts_reply_to)
    kind = subtype(mail)
    way, because, reason = _way(receipt, mail, kind, author, policy, mailbox)
    offers = threading(mail, keys, receipt.recipients)
    own = thread_key(mail.message_id) if mail.message_id else synthetic_message_id(identity)
    return Letter(
        receipt=receipt,
        mail=mail,
        way=way,
        kind=kind,
        author=author,
        mailbox=mailbox,
        suppressed=receipt.imported or kind is not None or _refuses_answers(mail, policy),
        identity=identity,
        origin=sha256(f"{mail.from_.email}\n{mail.date}".encode("utf-8", "replace")).hexdigest()[:32],
        key=own,
        offers=offers,
        known_ids=tuple(id for each in offers.known_ids if (id := thread_key(each)) != own),
        also=policy.further_mailboxes(addressed, mailbox),
        verified=verified_sender(mail, policy.trusted_servers),
        because=because,
        reason=reason,
    )


def thread_key(message_id: str) -> str:
    """A Message-ID as it is stored: what is too long for an index is hashed."""
    id = storable(message_id)
    return id if len(id) <= LONGEST_KEY else f"sha256:{sha256(id.encode()).hexdigest()}"


def _way(
    receipt: Received, mail: Mail, kind: Subtype | None, author: Address, policy: MailPolicy, mailbox: str | None
) -> tuple[Way, Because | None, str]:
    if receipt.released:
        return Way.WRITTEN, None, ""
    if mail.error is not None:
        return Way.SUSPENDED, Because.UNREADABLE, f"cannot be read: {mail.error}"
    if kind is Subtype.BOUNCE or is_delivery_report(mail):
        return Way.BOUNCE, None, ""
    if "@" not in author.email:
        return Way.SUSPENDED, Because.NO_SENDER, "names no sender"
    if policy.is_own(author.email):
        return Way.SUSPENDED, Because.OURSELVES, "comes from one of our own mailboxes"
    if policy.is_allowed(author.email) is False:
        return Way.SUSPENDED, Because.DENIED, "its sender is on the deny list"
    is_unwanted = kind is Subtype.GENERATED and policy.defaults(mailbox).machines == "suspend"
    if kind in ANSWERS or (is_unwanted and not policy.is_allowed(author.email)):
        return Way.ANSWER, None, ""
    return Way.WRITTEN, None, ""


def _addressed(receipt: Received, mail: Mail) -> list[str]:
    header = [value for name in ENVELOPE_HEADERS for value in mail.headers.all(name)]
    return [*receipt.recipients, *header, *(address.email for address in (*mail.to, *mail.cc))]


def _author(receipt: Received, mail: Mail, trusts_reply_to: bool) -> Address:
    """The customer: From, or Reply-To where a contact form writes (behaviour E-3)."""
    named = (*(mail.reply_to if trusts_reply_to else ()), mail.from_, mail.sender)
    found = next((address for address in named if "@" in address.email), None)
    found = found or Address(mail.return_path or receipt.sender or "")
    return Address(storable(found.email.lower()), storable(found.name)[:200])


def _refuses_answers(mail: Mail, policy: MailPolicy) -> bool:
    return refuses_answers(mail, policy.own_domains, frozenset(policy.mailboxes), policy.trusted_servers)
