"""The written form of mail.yaml, as far as the notifier reads it; intake reads the same file for what comes in."""

import re
from datetime import timedelta
from email.errors import HeaderParseError
from email.headerregistry import Address
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from libs.contracts.mail_ids import DOMAIN
from libs.contracts.ticket_state import TicketState

MAIL_FILE = "mail.yaml"
ADDRESS = re.compile(r"[^\s<>@,;:\"()\[\]\\]{1,64}@[^\s<>@,;:\"()\[\]\\]{1,255}")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
CHANNEL = TicketState.model_fields["channel"].description

Words = tuple[str, ...]
By = Literal["mail", "chat"]


def _address(text: str) -> str:
    if not ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is not a mail address")
    return text.lower()


def _domain(text: str) -> str:
    if not DOMAIN.fullmatch(text):
        raise ValueError(f"{text!r} is not a domain")
    return text.lower()


def _language(text: str) -> str:
    if not LANGUAGE.fullmatch(text):
        raise ValueError(f"{text!r} is not a language like en or pt-br, in lower case")
    return text


MailAddress = Annotated[str, AfterValidator(_address)]
MailDomain = Annotated[str, AfterValidator(_domain)]
LanguageKey = Annotated[str, AfterValidator(_language)]


class Written(BaseModel):
    """A part of the file that only the notifier reads: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Mailbox(BaseModel):
    """An address that customers write to; intake has further keys here."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str = Field("", max_length=100, description="What stands beside the address.")


class Smtp(Written):
    """The next mail server."""

    host: str = Field("localhost", min_length=1)
    port: int = Field(25, ge=1, le=65535)


class AcknowledgmentRules(Written):
    """When and how a new ticket is acknowledged (behaviour A-3, A-4, T-2)."""

    channels: dict[str, By] = Field(default={"email": "mail", "form": "mail", "chat": "chat"}, description=CHANNEL)
    per_subject_and_hour: int = Field(1, ge=1)
    per_day: int = Field(4, ge=1)
    per_domain_and_hour: int | None = Field(None, ge=1, description="None: as many as there are customers.")
    without_policy_hours: float = Field(8, gt=0, le=1000)


class RetryRules(Written):
    """When a mail that could not leave is tried again (decisions 20)."""

    first_seconds: float = Field(30, gt=0)
    longest_seconds: float = Field(3600, gt=0)
    give_up_hours: float = Field(48, gt=0)

    def pause(self, attempts: int) -> timedelta:
        """How long to wait after this many attempts: doubled each time, up to the longest."""
        return timedelta(seconds=min(self.longest_seconds, self.first_seconds * 2.0 ** min(attempts - 1, 32)))

    @property
    def give_up(self) -> timedelta:
        """How old a notice may become before it counts as failed."""
        return timedelta(hours=self.give_up_hours)


class LanguageRules(Written):
    """How one language writes a moment; Monday and January come first."""

    moment: str
    weekdays: Annotated[Words, Field(min_length=7, max_length=7)]
    months: Annotated[Words, Field(min_length=12, max_length=12)]

    @model_validator(mode="after")
    def _moment_fits(self) -> Self:
        names = dict.fromkeys(("weekday", "day", "month", "year", "hour", "minute", "zone"), "")
        try:
            self.moment.format(**names)
        except (KeyError, IndexError, ValueError) as fault:
            raise ValueError(f"moment: {fault} is none of {', '.join(names)}") from None
        return self


class MailFile(BaseModel):
    """The file; keys that only intake reads are left to it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    brand: str = Field(min_length=1, max_length=100)
    domain: MailDomain
    mailboxes: Annotated[dict[MailAddress, Mailbox], Field(min_length=1)]
    own_domains: frozenset[MailDomain] = frozenset()
    smtp: Smtp = Smtp()
    acknowledgment: AcknowledgmentRules = AcknowledgmentRules()
    fallback_recipients: tuple[MailAddress, ...] = ()
    tell_assignee: bool = False
    tell_resolved: bool = True
    retry: RetryRules = RetryRules()
    languages: Annotated[dict[LanguageKey, LanguageRules], Field(min_length=1)]

    @property
    def default_language(self) -> str:
        """What is spoken where a text is in no other language."""
        return next(iter(self.languages))

    def sender(self, mailbox: str | None) -> str:
        """The mailbox an answer leaves from: the one the customer wrote to, else the first."""
        return mailbox if mailbox in self.mailboxes else next(iter(self.mailboxes))

    def display_name(self, address: str) -> str:
        """What stands beside that address of ours."""
        mailbox = self.mailboxes.get(address)
        return (mailbox.name if mailbox else "") or self.brand


def read_mail_file(raw: Any) -> MailFile:
    """ValueError names field and reason."""
    try:
        return MailFile.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"] if part != "[key]")
        raise ValueError(f"{MAIL_FILE}: {place}: {first['msg'].removeprefix('Value error, ')}") from None


def is_writable(address: str) -> bool:
    """Whether mail can be addressed to it at all."""
    try:
        addressed(address)
    except ValueError:
        return False
    return True


def addressed(address: str, name: str = "") -> Address:
    """An address for a header. ValueError if mail cannot be addressed to it."""
    try:
        if ADDRESS.fullmatch(address):
            return Address(display_name=name, addr_spec=address)
    except (ValueError, IndexError, HeaderParseError):  # what the standard library says about broken ones
        pass
    raise ValueError("the address cannot be written to")
