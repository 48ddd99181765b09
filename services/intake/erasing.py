"""Erases what was written on tickets, and by whom, wherever this service keeps it (decisions 21).

What other services keep goes when they hear that the ticket is erased. `events` holds ids only, and stays.
"""

from collections.abc import Collection, Sequence

import asyncpg

from libs.chassis.transaction import Connection
from services.intake.chains import Chains
from services.intake.domain.decision import By
from services.intake.domain.erasing import ERASED, erase
from services.intake.inbound.copies import Copies
from services.intake.store import Store

LOOSEN = """
INSERT INTO loose_blobs (sha256)
SELECT DISTINCT file->>'sha256' FROM messages m, jsonb_array_elements(m.attachments) AS file
WHERE m.id = ANY($1::text[]) AND m.attachments IS NOT NULL
ON CONFLICT DO NOTHING
"""
OF_TICKETS = """
SELECT m.id FROM messages m WHERE m.ticket_id = ANY($1::text[])
UNION
SELECT m.id FROM conversations c JOIN messages m ON m.source = c.source AND m.conversation_id = c.conversation_id
WHERE c.ticket_id = ANY($1::text[]) AND m.ticket_id IS NULL
"""
# ids of mails say where they were written; what a mail is known by (mail_claims) stays, or it would come in again
FORGET_IDS = """
DELETE FROM mail_ids USING messages m
WHERE m.id = ANY($1::text[]) AND mail_ids.message_id IN (m.mail->>'message_id', m.outbound->>'message_id')
"""
EMPTY_MESSAGES = """
UPDATE messages SET text = '', html = NULL, mail = NULL, outbound = NULL, attachments = NULL,
    revisions = NULL
WHERE id = ANY($1::text[])
"""
EMPTY_TICKETS = "UPDATE tickets SET handoff = NULL WHERE id = ANY($1::text[]) AND handoff IS NOT NULL"
EMPTY_CONVERSATIONS = """
UPDATE conversations c SET name = NULL, email = NULL, phone = NULL, url = NULL, comment = NULL
FROM tickets t
WHERE t.id = ANY($1::text[]) AND c.source = t.source AND c.conversation_id = t.conversation_id
"""
HELD = """
SELECT t.id FROM tickets t JOIN customers c ON c.id = t.customer_id
WHERE t.id = ANY($1::text[]) AND c.legal_hold IS NOT NULL
"""
UNFINDABLE = "DELETE FROM ticket_search WHERE ticket_id = ANY($1::text[])"
NOBODY = "DELETE FROM participants WHERE ticket_id = ANY($1::text[])"
# what waits for a person waits no longer
EMPTY_MAILS = """
WITH gone AS (
    SELECT id, blob FROM inbound_mail WHERE id = ANY($1::bigint[]) AND blob <> '' FOR UPDATE
), loose AS (
    INSERT INTO loose_blobs (sha256) SELECT DISTINCT blob FROM gone ON CONFLICT DO NOTHING
)
UPDATE inbound_mail i
SET blob = '', sender = NULL, recipients = '{}', author = NULL, subject = NULL, reason = 'erased',
    disposition = CASE WHEN i.because IS NULL THEN i.disposition ELSE 'deleted' END, because = NULL,
    handled_by = CASE WHEN i.because IS NULL THEN i.handled_by ELSE $2 END,
    handled_at = CASE WHEN i.because IS NULL THEN i.handled_at ELSE $3 END
FROM gone WHERE i.id = gone.id
RETURNING i.id
"""
# nobody stores a blob meanwhile: whoever has, has committed, and is seen; who comes later waits, and stores it anew
ALONE = "LOCK TABLE blobs IN SHARE ROW EXCLUSIVE MODE"
PATIENCE = "SET LOCAL lock_timeout = 1000"
SWEEP = """
WITH looked AS (
    DELETE FROM loose_blobs WHERE sha256 IN (SELECT sha256 FROM loose_blobs LIMIT $1) RETURNING sha256
)
DELETE FROM blobs USING looked
WHERE blobs.sha256 = looked.sha256
  AND NOT EXISTS (SELECT FROM inbound_mail i WHERE i.blob = looked.sha256 AND i.settled_at IS NOT NULL AND i.blob <> '')
  AND NOT EXISTS (SELECT FROM inbound_mail i WHERE i.blob = looked.sha256 AND i.disposition = 'received')
  AND NOT EXISTS (
    SELECT FROM messages m WHERE m.attachments IS NOT NULL
      AND m.attachments @> jsonb_build_array(jsonb_build_object('sha256', looked.sha256)))
RETURNING blobs.sha256
"""
IS_ANY_LOOSE = "SELECT EXISTS (SELECT FROM loose_blobs)"
SWEPT_AT_ONCE = 100


class Erasing:
    """Erasing within one transaction."""

    def __init__(self, store: Store, by: By) -> None:
        self._store, self._by = store, by
        self._connection = store.transaction.connection

    async def tickets_with_parts(self, ids: Collection[str]) -> int:
        """Erase these tickets and those merged into them, but for what a legal hold keeps; how many were erased now."""
        chains = Chains(self._connection)
        parts = {part.id for id in ids for part in await chains.parts(id)}
        held = {row["id"] for row in await self._connection.fetch(HELD, sorted(parts))} if parts else set()
        return await self.tickets({*ids, *parts} - held)

    async def tickets(self, ids: Collection[str]) -> int:
        """Erase these tickets, and nothing of those merged with them; how many were erased now."""
        await self._lock(ids)
        loaded = await self._store.tickets(ids)
        now = self._store.transaction.now
        decisions = [erase(ticket, now, self._by) for ticket in loaded.values() if ticket.removed != ERASED]
        await self._store.save(decisions)
        erased = [decision.ticket.id for decision in decisions]
        if not erased:
            return 0
        await self.messages([row["id"] for row in await self._connection.fetch(OF_TICKETS, erased)])
        for statement in (EMPTY_TICKETS, EMPTY_CONVERSATIONS, NOBODY, UNFINDABLE):
            await self._connection.execute(statement, erased)
        await Copies(self._connection).forget(erased)
        return len(erased)

    async def _lock(self, ids: Collection[str]) -> None:
        """Together with the tickets whose answers their requesters get a copy of, in the order of all their ids."""
        copies = Copies(self._connection)
        targets = await copies.targets(ids)
        await self._store.lock({*ids, *targets})
        if not await copies.targets(ids) <= targets:
            # a target was merged on: what it became part of cannot be locked any more in order, so it begins again
            raise asyncpg.SerializationError("a ticket was merged meanwhile")

    async def messages(self, ids: Sequence[str]) -> None:
        """Erase what these messages say; that there was one stays."""
        if ids:
            for statement in (LOOSEN, FORGET_IDS, EMPTY_MESSAGES):
                await self._connection.execute(statement, sorted(ids))

    async def mails(self, ids: Sequence[int]) -> int:
        """Erase raw mails and what their receipts say of people; how many had something."""
        if not ids:
            return 0
        now = self._store.transaction.now
        return len(await self._connection.fetch(EMPTY_MAILS, sorted(ids), self._by.actor, now))


async def sweep(connection: Connection) -> int:
    """Look at some loose blobs and delete those that nothing refers to any more; how many. A transaction of its own:
    nobody stores a blob until it ends.
    """
    await connection.execute(PATIENCE)
    await connection.execute(ALONE)
    return len(await connection.fetch(SWEEP, SWEPT_AT_ONCE))


async def is_any_loose(connection: Connection) -> bool:
    """Whether blobs wait to be looked at."""
    return bool(await connection.fetchval(IS_ANY_LOOSE))
