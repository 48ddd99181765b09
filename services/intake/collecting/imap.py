"""A mailbox by IMAP. Keys are UIDs, the generation is UIDVALIDITY (RFC 3501, 2.3.1.1)."""

import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress

from imapclient import DELETED, SEEN, IMAPClient

from services.intake.collecting.box import BOX_TROUBLE, Fetched, Found
from services.intake.mail_sources import ImapServer, MailSource

SECONDS = 10.0
MOST_UIDS = 500
SIZE, BODY = b"RFC822.SIZE", b"BODY[]"


class ImapBox:
    """A folder of an IMAP server, over one connection that is kept between polls."""

    remembers = True

    def __init__(self, source: MailSource, password: str) -> None:
        assert source.imap is not None
        self._source, self._server, self._password = source, source.imap, password
        self._client: IMAPClient | None = None
        self._uid_next = 1

    def open(self) -> int:
        """Select the folder; the server tells what is new."""
        self._client = client = self._client or self._connect(self._server)
        folder = client.select_folder(self._server.folder)
        self._uid_next = int(folder.get(b"UIDNEXT", 0)) or max(client.search(["ALL"]), default=0) + 1
        return int(folder[b"UIDVALIDITY"])

    def begin(self) -> tuple[int, Sequence[Found]]:
        """Old mails by what the source says of them."""
        criteria = {"unseen": ["UNSEEN", "UNDELETED"], "all": ["UNDELETED"], "none": None}[self._source.existing]
        old = self._uid_next - 1
        uids = [] if criteria is None else sorted(self._open.search(criteria))
        return old, [Found(str(uid), uid) for uid in uids if uid <= old]

    def new(self, after: int) -> Sequence[Found]:
        """By UID; whether somebody has looked at a mail says nothing."""
        if self._uid_next <= after + 1:
            return []
        # `n:*` has the last mail even if its UID is below n
        return [Found(str(uid), uid) for uid in sorted(self._open.search(["UID", f"{after + 1}:*"])) if uid > after]

    def fetch(self, keys: Sequence[str], largest: int) -> Mapping[str, Fetched]:
        """Sizes first; a mail that is gone meanwhile was taken away by a person."""
        uids = [int(key) for key in keys]
        sizes = {uid: data[SIZE] for uid, data in self._open.fetch(uids, ["RFC822.SIZE"]).items() if SIZE in data}
        fitting = [uid for uid in uids if uid in sizes and sizes[uid] <= largest]
        bodies = self._open.fetch(fitting, ["BODY.PEEK[]"]) if fitting else {}
        found = {}
        for uid in uids:
            raw = bodies.get(uid, {}).get(BODY)
            reason = f"larger than {largest} bytes" if sizes.get(uid, 0) > largest else "gone before it was fetched"
            found[str(uid)] = Fetched(raw, None if raw is not None else reason)
        return found

    def finish(self, keys: Sequence[str]) -> None:
        """Mark as seen, then move or delete, as the source says."""
        uids = [int(key) for key in keys]
        for first in range(0, len(uids), MOST_UIDS):
            self._finish(self._open, uids[first : first + MOST_UIDS])

    def close(self) -> None:
        """Without a word to the server, so that nobody waits for it."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(*BOX_TROUBLE):
                client.shutdown()

    @property
    def _open(self) -> IMAPClient:
        if self._client is None:
            raise ConnectionError("the mailbox is not open")
        return self._client

    def _connect(self, server: ImapServer) -> IMAPClient:
        client = IMAPClient(server.host, server.at_port, ssl=server.tls == "implicit", timeout=SECONDS)
        try:
            if server.tls == "starttls":
                client.starttls(ssl.create_default_context())
            client.login(server.user, self._password)
        except BOX_TROUBLE:
            client.shutdown()
            raise
        return client

    def _finish(self, client: IMAPClient, uids: Sequence[int]) -> None:
        client.add_flags(uids, [SEEN], silent=True)
        if self._source.after == "move":
            self._move(client, uids)
        elif self._source.after == "delete":
            self._delete(client, uids)

    def _move(self, client: IMAPClient, uids: Sequence[int]) -> None:
        if not client.folder_exists(self._source.move_to):
            client.create_folder(self._source.move_to)
        if client.has_capability("MOVE"):
            client.move(uids, self._source.move_to)
        else:
            client.copy(uids, self._source.move_to)
            self._delete(client, uids)

    def _delete(self, client: IMAPClient, uids: Sequence[int]) -> None:
        client.add_flags(uids, [DELETED], silent=True)
        # without UIDPLUS a server would also remove what others have marked
        if client.has_capability("UIDPLUS"):
            client.uid_expunge(uids)
