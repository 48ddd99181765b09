"""A mailbox as the collector sees it, whatever is behind it. Everything here blocks: it runs in a thread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from imaplib import IMAP4
from typing import Protocol

BOX_TROUBLE: tuple[type[Exception], ...] = (IMAP4.error, OSError)
"""Errors of a mailbox: it is asked again at the next poll."""


@dataclass(frozen=True, slots=True)
class Found:
    """A mail that lies there. key: its name for ever; place: mails that come later have a higher one, 0 if unknown."""

    key: str
    place: int = 0


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched. Without raw bytes: reason says why it is left where it is."""

    raw: bytes | None
    reason: str | None = None


class Box(Protocol):
    """One mailbox. remembers: its mails stay visible after they were taken, so what was taken must be kept in mind."""

    remembers: bool

    def open(self) -> int:
        """Connect if necessary; the generation of its keys: another one means that all keys are new."""

    def begin(self) -> tuple[int, Sequence[Found]]:
        """At first contact: the place up to which everything is old, and the old mails that are wanted all the same."""

    def new(self, after: int) -> Sequence[Found]:
        """Mails that came after this place, in order."""

    def fetch(self, keys: Sequence[str], largest: int) -> Mapping[str, Fetched]:
        """The bytes of mails; nothing about them changes."""

    def finish(self, keys: Sequence[str]) -> None:
        """These are stored here: mark, move or delete them there. Doing it again does no harm."""

    def close(self) -> None:
        """Drop the connection, also from another thread; the next `open` makes a new one."""
