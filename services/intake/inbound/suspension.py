"""Mails that wait for a person: wanted after all, or not at all."""

from datetime import datetime

from libs.chassis.transaction import Connection
from services.intake.blobs import Blobs

RELEASE = """
UPDATE inbound_mail
SET disposition = 'received', reason = NULL, because = NULL, settled_at = NULL, handled_by = $2, handled_at = $3
WHERE id = $1 AND disposition IN ('suspended', 'refused') RETURNING id
"""
DELETE = """
UPDATE inbound_mail i
SET disposition = 'deleted', reason = 'nobody wanted it', because = NULL, blob = '', sender = NULL, recipients = '{}',
    author = NULL, subject = NULL, handled_by = $2, handled_at = $3
FROM (SELECT id, blob FROM inbound_mail WHERE id = $1 AND disposition IN ('suspended', 'refused') FOR UPDATE) AS was
WHERE i.id = was.id RETURNING was.blob
"""
# a copy would keep the bytes; it is one of this mail only if nobody else has them
DELETE_COPIES = """
UPDATE inbound_mail SET blob = '', sender = NULL, recipients = '{}', author = NULL, subject = NULL
WHERE blob = $1 AND blob <> '' AND settled_at IS NOT NULL AND disposition = 'duplicate' AND NOT EXISTS (
    SELECT FROM inbound_mail o
    WHERE o.blob = $1 AND o.blob <> '' AND o.settled_at IS NOT NULL AND o.disposition <> 'duplicate')
"""


class Suspension:
    """The suspended and refused mails of one transaction. by: who decides, as facts name an actor."""

    def __init__(self, connection: Connection, by: str, now: datetime) -> None:
        self._connection, self._by, self._now = connection, by, now

    async def release(self, receipt: int) -> bool:
        """Let a mail go on as if it had just come; the worker settles it. False if it does not wait for a person: of
        two who release it one does.
        """
        return await self._connection.fetchval(RELEASE, receipt, self._by, self._now) is not None

    async def delete(self, receipt: int) -> bool:
        """Forget a mail and its copies: who wrote it and what about is gone, only receipts stay; its bytes go if nobody
        else has them. False if it does not wait for a person.
        """
        blob: str | None = await self._connection.fetchval(DELETE, receipt, self._by, self._now)
        if blob:
            await self._connection.execute(DELETE_COPIES, blob)
            await Blobs(self._connection).loosen([blob])
        return blob is not None
