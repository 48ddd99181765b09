"""Everything that this service holds of a person, as one document (decisions 21).

It has what this person wrote, wherever that stands, and what was written to them. What others wrote to the same ticket
is theirs and left out, held or not, by a person or their machine; so are tickets of others that theirs may be a
duplicate of, and notes (behaviour N-1), unless a court wants them.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import asyncpg
from pydantic_core import from_json

from libs.chassis.transaction import Connection
from libs.contracts.suspicion import TicketDuplicateSuspected
from services.intake.acceptance import storable
from services.intake.authorship import BY_PERSON
from services.intake.blobs import Blobs
from services.intake.mail.parse import parse

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
# what we answered them and nobody else wrote, on their own tickets and in their chats, and where they got a copy
# (behaviour M-3); and their own words, anywhere
MESSAGES = f"""
WITH theirs AS (SELECT id, source, conversation_id FROM tickets WHERE customer_id = ANY($1::text[]))
SELECT m.id, m.ticket_id, m.kind, m.visibility, m.channel, m.author, m.text, m.html, m.at, m.sent_at, m.source,
    m.conversation_id, m.seq, m.mail, m.outbound, m.attachments, m.revisions
FROM messages m
WHERE (m.visibility <> 'internal' AND m.id IN ({BY_PERSON})) OR (
    m.ticket_id IN (SELECT ticket_id FROM copied WHERE source IN (SELECT id FROM theirs))
    AND EXISTS (SELECT FROM jsonb_array_elements(m.outbound->'copies') AS one
        WHERE one->>'ticket' IN (SELECT id FROM theirs))
) OR (
    (m.ticket_id IN (SELECT id FROM theirs)
     OR (m.source, m.conversation_id) IN (SELECT source, conversation_id FROM theirs WHERE source IS NOT NULL))
    AND (m.visibility = 'public' OR (m.visibility = 'internal' AND $4))
    AND (m.author IS NULL OR m.author = ANY($1::text[]) OR NOT EXISTS (SELECT FROM customers c WHERE c.id = m.author))
    AND (m.kind IS DISTINCT FROM 'automatic' OR m.author IS NOT NULL OR m.source IS NOT NULL OR m.id = ANY($3::text[]))
    AND (m.kind IS DISTINCT FROM 'system' OR m.outbound IS NULL OR m.outbound->>'to' = ANY($2::text[])))
ORDER BY m.ticket_id, m.n, m.seq, m.id
"""
MAILS = """
SELECT i.id, i.received_at, i.disposition, i.reason, i.author, i.sender, i.recipients, i.subject, i.verified, i.mailbox,
    i.ticket_id, i.message_id, i.size
FROM inbound_mail i
WHERE i.author = ANY($2::text[]) OR (coalesce(i.author, '') = '' AND (lower(i.sender) = ANY($2::text[]) OR (
    i.ticket_id IN (SELECT id FROM tickets WHERE customer_id = ANY($1::text[]))
    AND NOT EXISTS (SELECT FROM messages m WHERE m.id = i.message_id AND m.visibility = 'unverified'))))
ORDER BY i.id
"""
# nothing else has the words of these
WAITS = "SELECT blob FROM inbound_mail WHERE id = $1 AND disposition IN ('suspended', 'refused')"
PARTICIPATES = "SELECT ticket_id, email, via FROM participants WHERE email = ANY($1::text[]) ORDER BY 1, 2"
FACTS = """
SELECT e.subject AS ticket_id, e.n, e.type, e.occurred_at, e.data FROM events e
WHERE e.subject IN (SELECT id FROM tickets WHERE customer_id = ANY($1::text[])) AND e.type <> $2 ORDER BY e.subject, e.n
"""
WAITING = frozenset({"suspended", "refused"})
NOTED = "signalbox.ticket.note-added.v1"
DOCUMENTS = frozenset({"custom", "handoff", "mail", "outbound", "attachments", "revisions", "data", "details"})
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
    mails = await _rows(connection, MAILS, ids, emails)
    named = [mail["message_id"] for mail in mails if mail["message_id"] is not None and mail["author"] in emails]
    messages = await _rows(connection, MESSAGES, ids, emails, named, notes)
    tickets = await _rows(connection, TICKETS, ids)
    facts = await _rows(connection, FACTS, ids, "" if notes else NOTED)
    return {
        "customer": customer,
        "made_at": now,
        "records": people,
        "identities": identities,
        "log": await _rows(connection, LOG, ids),
        "erasures": await _rows(connection, ERASURES, ids),
        "tickets": tickets,
        "conversations": await _rows(connection, CONVERSATIONS, ids, emails),
        "messages": messages,
        "attachments": [
            {"message_id": message["id"], **attachment}
            for message in messages
            for attachment in message["attachments"] or ()
        ],
        "mails": [{**mail, "text": await _waiting(connection, mail)} for mail in mails],
        "participates_in": await _rows(connection, PARTICIPATES, emails),
        "facts": list(_of_their_own(facts, {ticket["id"] for ticket in tickets})),
        "elsewhere": ELSEWHERE,
    }


def _of_their_own(facts: Iterable[dict[str, Any]], tickets: Collection[str]) -> Iterable[dict[str, Any]]:
    """Facts without the tickets of colleagues that one of theirs may be a duplicate of (behaviour M-5)."""
    for fact in facts:
        if fact["type"] != TicketDuplicateSuspected.TYPE:
            yield fact
        elif suspects := [each for each in fact["data"]["suspects"] if each["ticket"] in tickets]:
            yield {**fact, "data": {**fact["data"], "suspects": suspects}}


async def _waiting(connection: Connection, mail: Mapping[str, Any]) -> str | None:
    """The text of a mail that waits for a person, which is no message yet; None for every other."""
    blob = await connection.fetchval(WAITS, mail["id"]) if mail["disposition"] in WAITING else None
    contents = await Blobs(connection).get([blob]) if blob else {}
    if blob not in contents:
        return None
    await asyncio.sleep(0)  # there may be many, and others want their turn
    return storable(parse(contents[blob]).text)


async def _rows(connection: Connection, query: str, *arguments: object) -> list[dict[str, Any]]:
    return [_readable(row) for row in await connection.fetch(query, *arguments)]


def _readable(row: asyncpg.Record) -> dict[str, Any]:
    return {
        name: from_json(value) if name in DOCUMENTS and isinstance(value, str) else value for name, value in row.items()
    }


def _emails(identities: Iterable[Mapping[str, Any]]) -> set[str]:
    return {each["value"] for each in identities if each["kind"] == "email"}
