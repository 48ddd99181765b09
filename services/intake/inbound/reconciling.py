"""Whether nothing was lost: raw mails, receipts, messages and tickets compared (behaviour E-1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from libs.chassis.transaction import Connection

MOST_NAMED = 20

GONE = "EXISTS (SELECT FROM tickets t WHERE t.id = m.ticket_id AND t.removed = 'erased')"
CHECKS: Mapping[str, str] = {
    "has no final disposition, and is older than an hour": """
        SELECT id::text FROM inbound_mail
        WHERE disposition = 'received' AND coalesce(handled_at, received_at) < $1::timestamptz - interval '1 hour'
    """,
    "was settled without a reason": """
        SELECT id::text FROM inbound_mail m
        WHERE disposition <> 'received' AND (coalesce(reason, '') = '' OR settled_at IS NULL)
    """,
    "its bytes are gone": """
        SELECT m.id::text FROM inbound_mail m LEFT JOIN blobs b ON b.sha256 = m.blob
        WHERE b.sha256 IS NULL AND m.disposition NOT IN ('deleted', 'duplicate') AND m.blob <> ''
    """,
    "its ticket is not there": """
        SELECT m.id::text FROM inbound_mail m LEFT JOIN tickets t ON t.id = m.ticket_id
        WHERE m.ticket_id IS NOT NULL AND t.id IS NULL
    """,
    "it became no message": f"""
        SELECT m.id::text FROM inbound_mail m LEFT JOIN messages s ON s.id = m.message_id
        WHERE (m.disposition IN ('accepted', 'appended') OR m.message_id IS NOT NULL) AND s.id IS NULL AND NOT {GONE}
    """,
    "its message is on another ticket": """
        SELECT m.id::text FROM inbound_mail m JOIN messages s ON s.id = m.message_id
        WHERE s.ticket_id IS DISTINCT FROM m.ticket_id
    """,
    "it became the same message as another": """
        SELECT unnest(array_agg(id::text)) FROM inbound_mail
        WHERE disposition IN ('accepted', 'appended', 'automatic') AND message_id IS NOT NULL
        GROUP BY message_id HAVING count(*) > 1
    """,
    "a message of a ticket came by no mail": """
        SELECT s.id FROM messages s JOIN tickets t ON t.id = s.ticket_id
        WHERE s.mail IS NOT NULL AND s.channel = 'email' AND t.split_from IS NULL
          AND NOT EXISTS (SELECT FROM inbound_mail m WHERE m.message_id = s.id)
    """,
}
"""What must not be, and who it is: receipts of mails, or messages. A message that was split off is its mail's copy."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that does not add up; count: of how many mails, of which the first are named."""

    what: str
    count: int
    which: tuple[str, ...]


async def differences(connection: Connection, now: datetime) -> list[Difference]:
    """All that does not add up, nothing when all is well. Every table of mail is read whole."""
    found: list[Difference] = []
    for what, query in CHECKS.items():
        at = (now,) if "$1" in query else ()
        rows = [row[0] for row in await connection.fetch(f"{query} LIMIT 10000", *at)]
        if rows:
            found.append(Difference(what, len(rows), tuple(rows[:MOST_NAMED])))
    return found
