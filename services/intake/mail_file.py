"""The written form of mail.yaml, as far as intake reads it: mailboxes, limits, whom to trust."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from libs.contracts.mail_ids import bare_address
from libs.contracts.ticket_state import Priority
from services.intake.domain.follow_up import FollowUp
from services.intake.mail_sources import MailSource, SourceName

MAIL_FILE = "mail.yaml"
MEBIBYTE = 1024 * 1024
REFUSAL = """Your request {reference} is closed and takes no more messages, so what you wrote now was not added to it.

Please write a new mail, not an answer, about anything that is still open."""

Lower = Annotated[str, StringConstraints(to_lower=True, strip_whitespace=True, min_length=1)]
MailAddress = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[^\s<>@,]{1,64}@[^\s<>@,]{1,255}$")]


Unwanted = Annotated[str, StringConstraints(to_lower=True, pattern=r"^(\.[^\s/.]{1,20}|[^\s/]+/([^\s/*]+|\*))$")]


class Mailbox(BaseModel):
    """What a ticket starts with that came in by this address; the notifier reads further keys."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    queue: str | None = Field(None, min_length=1, description="Queue until a rule or a person chooses another.")
    priority: Priority | None = None
    tags: tuple[str, ...] = ()
    language: str | None = None
    trusts_reply_to: bool = Field(False, description="A contact form writes here: Reply-To is the customer (E-3).")
    machines: Literal["ticket", "suspend"] = Field("ticket", description="What mail made by programs becomes (A-5).")


class SenderLimit(BaseModel):
    """More tickets than this by one sender are suspended (behaviour A-4)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tickets: int = Field(60, ge=1)
    minutes: float = Field(10, gt=0, le=24 * 60)


class FollowUpRules(BaseModel):
    """What a customer's mail on a closed ticket becomes (behaviour H-4), by queue.

    refusal: what its author is told where it is refused, by language, the first for all others; `{reference}` and
    `{subject}` are the ticket's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    default: FollowUp = FollowUp.NEW_TICKET
    queues: dict[str, FollowUp] = Field(default_factory=dict)
    refusal: dict[str, str] = Field(default_factory=lambda: {"en": REFUSAL}, min_length=1)

    @field_validator("refusal")
    @classmethod
    def _can_be_filled_in(cls, texts: dict[str, str]) -> dict[str, str]:
        for text in texts.values():
            try:
                text.format(reference="", subject="")
            except (KeyError, IndexError, ValueError):
                raise ValueError("only {reference} and {subject} can be filled in") from None
        return texts


class InboundRules(BaseModel):
    """What comes in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_mail_mb: float = Field(25, gt=0, le=64)
    max_attachment_mb: float = Field(20, gt=0, le=64)
    max_attachments: int = Field(50, ge=0, le=1000)
    refused_attachments: frozenset[Unwanted] = frozenset()
    attachment_link_minutes: float = Field(60, ge=1, le=7 * 24 * 60)
    trusted_servers: frozenset[Lower] = frozenset()
    sender_limit: SenderLimit = SenderLimit()
    reopen_on_bounce: bool = True
    allow: frozenset[Lower] = Field(frozenset(), description="Addresses and domains that are never suspended (A-4).")
    deny: frozenset[Lower] = Field(frozenset(), description="Addresses and domains whose mail is suspended.")
    campaign_tag: str | None = Field("campaign", description="Each answer to such a ticket is a ticket of its own.")


class MailFile(BaseModel):
    """The file; keys that only the notifier reads are left to it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    domain: Lower = "localhost"
    mailboxes: dict[MailAddress, Mailbox] = Field(default_factory=dict)
    own_domains: frozenset[Lower] = frozenset()
    inbound: InboundRules = InboundRules()
    collect: dict[SourceName, MailSource] = Field(default_factory=dict)
    follow_up: FollowUpRules = FollowUpRules()


@dataclass(frozen=True, slots=True)
class MailPolicy:
    """How mail is taken in. Sizes in bytes; addresses and domains in lower case."""

    mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    domain: str = "localhost"
    own_domains: frozenset[str] = frozenset()
    sources: dict[str, MailSource] = field(default_factory=dict)
    trusted_servers: frozenset[str] = frozenset()
    max_mail: int = 25 * MEBIBYTE
    max_attachment: int = 20 * MEBIBYTE
    max_attachments: int = 50
    refused_attachments: frozenset[str] = frozenset()
    attachment_link: timedelta = timedelta(hours=1)
    sender_tickets: int = 60
    sender_period: timedelta = timedelta(minutes=10)
    reopen_on_bounce: bool = True
    follow_up: FollowUpRules = field(default_factory=FollowUpRules)
    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()
    campaign_tag: str | None = None

    def mailbox(self, addresses: Iterable[str]) -> str | None:
        """The first of these addresses, plus tags aside, that is a mailbox of ours, else our first mailbox."""
        bare = (bare_address(address) for address in addresses)
        return next((address for address in bare if address in self.mailboxes), next(iter(self.mailboxes), None))

    def further_mailboxes(self, addresses: Iterable[str], mailbox: str | None) -> tuple[str, ...]:
        """Those of these addresses, plus tags aside, that are other mailboxes of ours."""
        if len(self.mailboxes) < 2:
            return ()
        bare = dict.fromkeys(map(bare_address, addresses))
        return tuple(address for address in bare if address in self.mailboxes and address != mailbox)

    def defaults(self, mailbox: str | None) -> Mailbox:
        """What tickets of a mailbox start with."""
        return self.mailboxes.get(mailbox or "") or NO_DEFAULTS

    def refuses(self, name: str, content_type: str) -> bool:
        """Whether files of this name or media type are not taken: by `.ending`, `type/subtype` or `type/*`."""
        kind = content_type.lower().partition(";")[0].strip()
        named = {"." + name.lower().rpartition(".")[2], kind, kind.partition("/")[0] + "/*"}
        return not self.refused_attachments.isdisjoint(named)

    def is_own(self, address: str) -> bool:
        """Whether it is one of our mailboxes, with or without a plus tag."""
        return bare_address(address) in self.mailboxes

    def follow_up_in(self, queue: str | None) -> FollowUp:
        """What a customer's mail on a closed ticket of this queue becomes."""
        return self.follow_up.queues.get(queue or "", self.follow_up.default)

    def refusal(self, language: str | None) -> str:
        """What the author of a refused mail is told."""
        texts = self.follow_up.refusal
        return texts.get((language or "").partition("-")[0].lower()) or next(iter(texts.values()))

    def is_allowed(self, address: str) -> bool | None:
        """True and False for who is on the allow or the deny list, None for who is on neither. The address counts
        before its domain, a domain before those above it; in doubt the mail waits.
        """
        domain = address.rpartition("@")[2]
        labels = domain.split(".")
        for entry in (address, *(".".join(labels[place:]) for place in range(len(labels)))):
            if entry in self.deny:
                return False
            if entry in self.allow:
                return True
        return None


NO_DEFAULTS = Mailbox()


def read_mail_file(document: Any) -> MailPolicy:
    """The policy of a parsed mail.yaml. ValueError names file, field and reason."""
    try:
        written = MailFile.model_validate(document)
    except ValidationError as faults:
        first = faults.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"] if part != "[key]")
        raise ValueError(f"{MAIL_FILE}: {place}: {first['msg']}") from None
    rules = written.inbound
    return MailPolicy(
        mailboxes=written.mailboxes,
        domain=written.domain,
        own_domains=written.own_domains,
        sources=written.collect,
        trusted_servers=rules.trusted_servers,
        max_mail=int(rules.max_mail_mb * MEBIBYTE),
        max_attachment=int(rules.max_attachment_mb * MEBIBYTE),
        max_attachments=rules.max_attachments,
        refused_attachments=rules.refused_attachments,
        attachment_link=timedelta(minutes=rules.attachment_link_minutes),
        sender_tickets=rules.sender_limit.tickets,
        sender_period=timedelta(minutes=rules.sender_limit.minutes),
        reopen_on_bounce=rules.reopen_on_bounce,
        follow_up=written.follow_up,
        allow=rules.allow,
        deny=rules.deny,
        campaign_tag=rules.campaign_tag,
    )
