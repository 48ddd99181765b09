"""Receipts of mail in PostgreSQL: what waits, and what became of it."""

from collections.abc import Collection, Mapping
from datetime import datetime

from libs.chassis.transaction import Connection
from services.intake.acceptance import storable
from services.intake.blobs import Blobs
from services.intake.inbound.letter import Letter, Received
from services.intake.inbound.outcome import Outcome

MOST_BYTES = 16 * 1024 * 1024

WAITING = """
SELECT id, blob, size, sender, recipients, received_at, door = 'import' AS imported,
    handled_by IS NOT NULL AS released
FROM inbound_mail
WHERE disposition = 'received' ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
"""
SETTLE = """
UPDATE inbound_mail SET disposition = x.disposition, reason = x.reason, settled_at = $1, ticket_id = x.ticket_id,
    message_id = x.message_id, mailbox = x.mailbox, identity = x.identity, author = x.author, subject = x.subject,
    because = x.because, verified = x.verified
FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::text[], $11::text[], $12::boolean[])
     AS x(id, disposition, reason, ticket_id, message_id, mailbox, identity, author, subject, because, verified)
WHERE inbound_mail.id = x.id
"""
SUSPEND = """
UPDATE inbound_mail SET disposition = 'suspended', reason = $2, settled_at = $3, because = 'fault'
WHERE id = $1 AND disposition = 'received'
"""
OPENED = """
SELECT author, count(*) AS tickets FROM inbound_mail
WHERE disposition = 'accepted' AND author = ANY($1::text[]) AND settled_at > $2 GROUP BY author
"""
COUNTS = "SELECT disposition, count(*) AS mails FROM inbound_mail GROUP BY disposition"
IS_WAITING = "SELECT EXISTS (SELECT FROM inbound_mail WHERE disposition = 'received')"
OLDEST = "SELECT min(received_at) FROM inbound_mail WHERE disposition = 'received'"


class Receipts:
    """The receipts of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def waiting(self, most: int) -> list[Received]:
        """Mails to settle, locked, oldest first; those that another worker has are left to it. At least one, and at
        most 16 MB at once.
        """
        rows = await self._connection.fetch(WAITING, most)
        taken, size = 0, 0
        while taken < len(rows) and (not taken or size + rows[taken]["size"] <= MOST_BYTES):
            size += rows[taken]["size"]
            taken += 1
        chosen = rows[:taken]
        contents = await Blobs(self._connection).get({row["blob"] for row in chosen})
        return [
            Received(
                row["id"],
                contents[row["blob"]],
                row["received_at"],
                row["sender"],
                tuple(row["recipients"]),
                row["imported"],
                row["released"],
            )
            for row in chosen
        ]

    async def settle(self, outcomes: Mapping[int, Outcome], letters: Collection[Letter], now: datetime) -> None:
        """Write the final disposition of each mail."""
        if not letters:
            return
        settled = [(letter, outcomes[letter.receipt.id]) for letter in letters]
        await self._connection.execute(
            SETTLE,
            now,
            [letter.receipt.id for letter, _ in settled],
            [outcome.disposition.value for _, outcome in settled],
            [outcome.reason for _, outcome in settled],
            [outcome.ticket_id for _, outcome in settled],
            [outcome.message_id for _, outcome in settled],
            [letter.mailbox for letter, _ in settled],
            [letter.identity for letter, _ in settled],
            [letter.author.email for letter, _ in settled],
            [storable(letter.mail.subject[:500]) for letter, _ in settled],
            [outcome.because for _, outcome in settled],
            [letter.verified for letter, _ in settled],
        )

    async def suspend(self, id: int, reason: str, now: datetime) -> None:
        """Set a mail aside that could not be handled."""
        await self._connection.execute(SUSPEND, id, storable(reason[:1000]), now)

    async def opened_by(self, authors: Collection[str], since: datetime) -> dict[str, int]:
        """How many tickets these authors have opened by mail since then."""
        rows = await self._connection.fetch(OPENED, sorted(authors), since)
        return {row["author"]: row["tickets"] for row in rows}

    async def counts(self) -> dict[str, int]:
        """How many mails have each disposition."""
        return {row["disposition"]: row["mails"] for row in await self._connection.fetch(COUNTS)}

    async def is_any_waiting(self) -> bool:
        """Whether a mail has no final disposition yet."""
        return bool(await self._connection.fetchval(IS_WAITING))

    async def oldest_waiting(self) -> datetime | None:
        """When the oldest mail came in that has no final disposition."""
        moment: datetime | None = await self._connection.fetchval(OLDEST)
        return moment
