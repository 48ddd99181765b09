"""Mails that wait for a person: wanted after all, or not at all."""

from datetime import datetime

from libs.chassis.transaction import Connection
from services.intake.blobs import Blobs
from services.intake.inbound.letter import thread_key
from services.intake.mail.identity import mail_identity, synthetic_message_id
from services.intake.mail.parse import parse

RELEASE = """
UPDATE inbound_mail
SET disposition = 'received', reason = NULL, because = NULL, settled_at = NULL, handled_by = $2, handled_at = $3
WHERE id = $1 AND disposition IN ('suspended', 'refused') RETURNING id
"""
DELETE = """
UPDATE inbound_mail
SET disposition = 'deleted', reason = 'nobody wanted it', because = NULL, sender = NULL, recipients = '{}',
    author = NULL, subject = NULL, handled_by = $2, handled_at = $3
WHERE id = $1 AND disposition IN ('suspended', 'refused') RETURNING blob
"""
HELD_BY_ANOTHER = """
SELECT EXISTS (
    SELECT FROM mail_claims WHERE message_id = ANY($1::text[]) AND identity = $2 AND receipt <> $3)
"""
FORGET = "DELETE FROM blobs WHERE sha256 = $1"


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
        """Forget a mail: its bytes, who wrote it and what about are gone, only the receipt stays. False if it does not
        wait for a person.
        """
        blob: str | None = await self._connection.fetchval(DELETE, receipt, self._by, self._now)
        if blob is None:
            return False
        contents = await Blobs(self._connection).get([blob])
        if blob in contents and not await self._is_anothers(contents[blob], receipt):
            await self._connection.execute(FORGET, blob)
        return True

    async def _is_anothers(self, raw: bytes, receipt: int) -> bool:
        """Whether another receipt of the same mail was settled: then the bytes are its."""
        mail = parse(raw)
        identity = mail_identity(mail)
        keys = [synthetic_message_id(identity), *([thread_key(mail.message_id)] if mail.message_id else [])]
        return bool(await self._connection.fetchval(HELD_BY_ANOTHER, keys, identity, receipt))
