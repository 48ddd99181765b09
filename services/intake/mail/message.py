"""A mail as intake reads it."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256

from services.intake.mail.addresses import Address
from services.intake.mail.headers import Headers

NOBODY = Address("")


@dataclass(frozen=True)
class Attachment:
    """A part that is not the text of the mail. `filename` is never empty and never a path."""

    filename: str
    content_type: str
    content: bytes = field(repr=False)
    content_id: str = ""
    inline: bool = False

    @cached_property
    def sha256(self) -> str:
        """Hash of the decoded content, in hex."""
        return sha256(self.content).hexdigest()

    @property
    def is_inline_image(self) -> bool:
        """Whether it is shown within the text, and so is no attachment in the eyes of a reader."""
        return self.inline and self.content_type.startswith("image/")


@dataclass(frozen=True, slots=True)
class Mail:
    """A parsed mail. Every field has a value, whatever the bytes were; `error` says what could not be read.

    Addresses are in lower case, Message-IDs without angle brackets, `date` is aware and in UTC, text has "\\n" line
    ends and no NUL. `in_reply_to` holds the parent; further ids of In-Reply-To are among the `references`. `html` is
    as the sender wrote it: clean it before anybody sees it.
    """

    headers: Headers = field(default_factory=Headers)
    sender_address: Address = NOBODY
    reply_to: tuple[Address, ...] = ()
    sender: Address = NOBODY
    return_path: str | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    subject: str = ""
    date: datetime | None = None
    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    text: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    content_type: str = "text/plain"
    content_parameters: tuple[tuple[str, str], ...] = ()
    error: str | None = None

    @property
    def from_(self) -> Address:
        """The author: the first mailbox of From (`return_path` None = no such header, "" = the null path `<>`)."""
        return self.sender_address

    @property
    def regular_attachments(self) -> tuple[Attachment, ...]:
        """Attachments without the images shown within the text."""
        return tuple(attachment for attachment in self.attachments if not attachment.is_inline_image)

    def content_parameter(self, name: str) -> str:
        """A parameter of the Content-Type of the whole mail, such as `report-type`; empty when missing."""
        return dict(self.content_parameters).get(name, "")
