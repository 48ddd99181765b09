"""Files that agents upload for an answer; what no answer takes is gone after a day (decisions 21)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from libs.chassis.errors import Invalid
from libs.chassis.timers import Due
from libs.chassis.transaction import Transaction
from libs.contracts.ticket import Attachment
from services.intake.blobs import digest
from services.intake.identities import Identities

EXPIRE = "expire_upload"
"""The kind of timer that deletes an upload; its key is the upload's id."""
KEPT = timedelta(days=1)

ADD = """
INSERT INTO uploads (id, name, content_type, size, sha256, content, uploaded_by, uploaded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
TAKE = """
SELECT id, name, content_type, size, sha256 FROM uploads WHERE id = ANY($1::text[]) AND uploaded_by = $2
ORDER BY id FOR SHARE
"""
KEEP = """
INSERT INTO blobs (sha256, size, content)
SELECT DISTINCT ON (sha256) sha256, size, content FROM uploads WHERE id = ANY($1::text[]) ORDER BY sha256
ON CONFLICT DO NOTHING
"""
LOCK = "SELECT id FROM uploads WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE"
DELETE = "DELETE FROM uploads WHERE id = ANY($1::text[])"


@dataclass(frozen=True, slots=True)
class File:
    """What somebody uploads. `name` is no path."""

    name: str
    content_type: str
    content: bytes


class Uploads:
    """The uploads of one transaction, of one caller: nobody attaches what another has uploaded."""

    def __init__(self, transaction: Transaction, uploaded_by: str) -> None:
        self._transaction, self._by = transaction, uploaded_by

    async def add(self, file: File) -> Attachment:
        """Keep a file for a day."""
        now = self._transaction.now
        id, sha256 = Identities(now).new(), digest(file.content)
        values = (id, file.name, file.content_type, len(file.content), sha256, file.content, self._by, now)
        await self._transaction.connection.execute(ADD, *values)
        self._transaction.arm(id, EXPIRE, now + KEPT)
        return Attachment(id=id, name=file.name, content_type=file.content_type, size=len(file.content), sha256=sha256)

    async def take(self, ids: Sequence[str], message_id: str) -> tuple[Attachment, ...]:
        """The uploads as attachments of a message, in this order, for good. Invalid (422) for one that is not there."""
        if not ids:
            return ()
        rows = await self._transaction.connection.fetch(TAKE, list(ids), self._by)
        found = {row["id"]: row for row in rows}
        if missing := [id for id in ids if id not in found]:
            raise Invalid("body.attachments", f"{missing[0]!r} is no upload of yours of the last 24 hours")
        await self._transaction.connection.execute(KEEP, list(ids))
        chosen = [{**found[id], "id": f"{message_id}.{place}"} for place, id in enumerate(ids)]
        return tuple(Attachment(**each) for each in chosen)


async def lock(keys: Sequence[str], transaction: Transaction) -> None:
    """The uploads, before their timers."""
    await transaction.connection.execute(LOCK, sorted(keys))


async def expire(due: Sequence[Due], transaction: Transaction) -> None:
    """Delete uploads whose day is over; what answers have taken stays in `blobs`."""
    await transaction.connection.execute(DELETE, [timer.key for timer in due])
