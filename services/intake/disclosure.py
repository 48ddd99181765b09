"""Everything that this service holds of a person, as one document (decisions 21).

What others wrote to the same ticket is theirs and left out, as are notes (behaviour N-1), unless a court wants them.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import asyncpg
from pydantic_core import from_json

from libs.chassis.transaction import Connection

PERSON = """
SELECT id, email, name, phone, tier, organisation, created_at, merged_into, legal_hold, erased_at FROM customers
WHERE id = $1 OR merged_into = $1 ORDER BY id
"""
IDENTITIES = """
SELECT kind, value, linked_at FROM customer_identities WHERE customer_id = ANY($1::text[]) ORDER BY kind, value
"""
LOG = "SELECT at, actor, action, details FROM customer_log WHERE customer_id = ANY($1::text[]) ORDER BY id"
ERASURES = """
SELECT state, asked_at, asked_by, done_at, tickets, mails FROM erasures WHERE customer_id = ANY($1::text[])
"""
TICKETS = """
SELECT id, reference, channel, subject, status, category, tags, custom, handoff, tier, organisation, language, mailbox,
    source, conversation_id, created_at, updated_at, resolved_at, merged_into, follow_up_of, removed
FROM tickets WHERE customer_id = ANY($1::text[]) ORDER BY id
"""
CONVERSATIONS = """
SELECT c.source, c.conversation_id, c.channel, c.url, c.language, c.name, c.email, c.phone, c.resolved_at, c.score,
    c.comment
FROM conversations c
WHERE c.email = ANY($2::text[]) OR EXISTS (
    SELECT FROM tickets t WHERE t.customer_id = ANY($1::text[]) AND t.source = c.source
        AND t.conversation_id = c.conversation_id)
ORDER BY c.source, c.conversation_id
"""
# theirs, and what we answered: on their own tickets, in their chats, and their own words elsewhere
MESSAGES = """
WITH theirs AS (SELECT id, source, conversation_id FROM tickets WHERE customer_id = ANY($1::text[]))
SELECT m.id, m.ticket_id, m.kind, m.channel, m.author, m.text, m.html, m.at, m.sent_at, m.source, m.conversation_id,
    m.seq, m.mail, m.outbound, m.attachments
FROM messages m
WHERE (
    m.ticket_id IN (SELECT id FROM theirs)
    OR (m.source, m.conversation_id) IN (SELECT source, conversation_id FROM theirs WHERE source IS NOT NULL)
    OR (m.author = ANY($1::text[])
        AND m.ticket_id IN (SELECT ticket_id FROM participants WHERE email = ANY($2::text[])))
) AND (m.visibility = 'public' OR (m.visibility = 'internal' AND $3))
  AND (m.kind IS DISTINCT FROM 'customer' OR m.author IS NULL OR m.author = ANY($1::text[])
       OR NOT EXISTS (SELECT FROM customers c WHERE c.id = m.author))
ORDER BY m.ticket_id, m.n, m.seq, m.id
"""
MAILS = """
SELECT id, received_at, disposition, reason, author, sender, recipients, subject, mailbox, ticket_id, message_id, size
FROM inbound_mail WHERE author = ANY($2::text[]) OR lower(sender) = ANY($2::text[])
    OR (author IS NULL AND ticket_id IN (SELECT id FROM tickets WHERE customer_id = ANY($1::text[])))
ORDER BY id
"""
PARTICIPATES = "SELECT ticket_id, email, via FROM participants WHERE email = ANY($1::text[]) ORDER BY 1, 2"
FACTS = """
SELECT e.subject AS ticket_id, e.n, e.type, e.occurred_at, e.data FROM events e
WHERE e.subject IN (SELECT id FROM tickets WHERE customer_id = ANY($1::text[])) AND e.type <> $2 ORDER BY e.subject, e.n
"""
NOTED = "signalbox.ticket.note-added.v1"
DOCUMENTS = frozenset({"custom", "handoff", "mail", "outbound", "attachments", "data", "details"})
ELSEWHERE = {
    "notifier": "what was sent: GET /v1/notices?ticket= of the notifier, for each ticket",
    "router": "subject and first text of each ticket, as they are here, for rules that read words",
    "broker": "the last 30 days of what is said here, as messages on their way",
}
"""What other services keep of the same, and where to ask."""


async def disclosed(connection: Connection, customer: str, now: datetime, *, notes: bool) -> dict[str, Any] | None:
    """The document; None if there is no such person. notes: with internal notes, for a legal hold."""
    people = await _rows(connection, PERSON, customer)
    if not any(person["id"] == customer for person in people):
        return None
    ids = [person["id"] for person in people]
    identities = await _rows(connection, IDENTITIES, ids)
    emails = sorted({person["email"] for person in people if person["email"]} | _emails(identities))
    messages = await _rows(connection, MESSAGES, ids, emails, notes)
    return {
        "customer": customer,
        "made_at": now,
        "records": people,
        "identities": identities,
        "log": await _rows(connection, LOG, ids),
        "erasures": await _rows(connection, ERASURES, ids),
        "tickets": await _rows(connection, TICKETS, ids),
        "conversations": await _rows(connection, CONVERSATIONS, ids, emails),
        "messages": messages,
        "attachments": [
            {"message_id": message["id"], **attachment}
            for message in messages
            for attachment in message["attachments"] or ()
        ],
        "mails": await _rows(connection, MAILS, ids, emails),
        "participates_in": await _rows(connection, PARTICIPATES, emails),
        "facts": await _rows(connection, FACTS, ids, "" if notes else NOTED),
        "elsewhere": ELSEWHERE,
    }


async def _rows(connection: Connection, query: str, *arguments: object) -> list[dict[str, Any]]:
    return [_readable(row) for row in await connection.fetch(query, *arguments)]


def _readable(row: asyncpg.Record) -> dict[str, Any]:
    return {
        name: from_json(value) if name in DOCUMENTS and isinstance(value, str) else value for name, value in row.items()
    }


def _emails(identities: Iterable[Mapping[str, Any]]) -> set[str]:
    return {each["value"] for each in identities if each["kind"] == "email"}
