"""The written form of `collect` in mail.yaml: mailboxes of other servers that intake empties."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

PORTS = {"implicit": 993, "starttls": 143, "none": 143}
SourceName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f]+$")]


class ImapServer(BaseModel):
    """Where a mailbox is. Its password stands in SIGNALBOX_IMAP_PASSWORDS under the name of the source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Line
    user: Line
    port: int | None = Field(None, ge=1, le=65535)
    tls: Literal["implicit", "starttls", "none"] = "implicit"
    folder: Line = "INBOX"

    @property
    def at_port(self) -> int:
        """The port, or what is usual."""
        return self.port or PORTS[self.tls]


class MailSource(BaseModel):
    """A mailbox that is emptied, by IMAP or from a Maildir.

    mailbox: which of ours its mails are for, where they do not say. existing: what becomes of mails that lie there at
    first. after: what becomes of a mail once it is stored; from a Maildir `seen` moves it to cur/.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    imap: ImapServer | None = None
    maildir: Line | None = None
    mailbox: Line | None = None
    every_seconds: float = Field(30, ge=0.05, le=3600)
    existing: Literal["unseen", "all", "none"] = "unseen"
    after: Literal["seen", "move", "delete"] = "seen"
    move_to: Line = "Processed"

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.imap is None) == (self.maildir is None):
            raise ValueError("needs either imap or maildir")
        if self.maildir is not None and self.after == "move":
            raise ValueError("mails of a maildir are not moved; say seen or delete")
        return self
