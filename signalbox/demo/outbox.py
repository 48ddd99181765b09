"""The mails that left the system, as the embedded mail server keeps them."""

from collections.abc import Iterator
from pathlib import Path

from signalbox.spool import SpooledMail, read_mail


class Outbox:
    """Reads each mail of the spool once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, SpooledMail] = {}

    def mails(self) -> list[SpooledMail]:
        """Every mail so far, oldest first."""
        for path in sorted(self._folder.glob("*.eml")):
            if path.name not in self._read:
                self._read[path.name] = read_mail(path)
        return list(self._read.values())

    def by_message_id(self, message_id: str) -> SpooledMail | None:
        """The mail with this id."""
        return next((mail for mail in self.mails() if mail.message_id == message_id), None)

    def to_customer(self, reference: str, address: str) -> Iterator[SpooledMail]:
        """The mails about a ticket that went to its customer, newest first."""
        for mail in reversed(self.mails()):
            if reference in mail.subject and address.lower() in mail.to.lower():
                yield mail
