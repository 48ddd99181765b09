"""Makes facts whole again: `events` keeps no person and no text, the tables do (decisions 21).

Needed when a fact is not published from the memory of its transaction: after a crash, for repair and for rebuilds.
What was erased since stays away.
"""

from collections.abc import Mapping, Sequence

import asyncpg
from pydantic_core import from_json

from libs.chassis.events import StoredFact
from libs.chassis.transaction import Connection
from libs.contracts.ticket import ConversationLink, TicketMessageAdded, TicketOpened
from services.intake.domain.appending import message_added
from services.intake.domain.message import Customer, Message, inline
from services.intake.domain.opening import requester
from services.intake.rows import CUSTOMER_COLUMNS, MESSAGE_COLUMNS, message_of

MESSAGES = f"SELECT {', '.join(MESSAGE_COLUMNS)} FROM messages WHERE id = ANY($1::text[])"
OPENED = f"""
SELECT tickets.id AS ticket_id, tickets.subject, tickets.source, tickets.conversation_id, conversations.url,
    {", ".join(f"customers.{column}" for column in CUSTOMER_COLUMNS)}
FROM tickets LEFT JOIN customers ON customers.id = tickets.customer_id
LEFT JOIN conversations USING (source, conversation_id)
WHERE tickets.id = ANY($1::text[])
"""


async def join(connection: Connection, facts: Sequence[StoredFact]) -> Mapping[int, bytes]:
    """The complete data of those facts that have personal fields, by event id."""
    personal = [fact for fact in facts if fact.type in (TicketOpened.TYPE, TicketMessageAdded.TYPE)]
    if not personal:
        return {}
    stored = {fact.id: from_json(fact.data) for fact in personal}
    ids = [data["message_id"] for data in stored.values() if data.get("message_id")]
    messages = {row["id"]: message_of(row) for row in await connection.fetch(MESSAGES, ids)}
    opened = [fact.subject for fact in personal if fact.type == TicketOpened.TYPE]
    tickets = {row["ticket_id"]: row for row in await connection.fetch(OPENED, opened)}
    complete: dict[int, bytes] = {}
    for fact in personal:
        message = messages.get(stored[fact.id].get("message_id"))
        if fact.type == TicketMessageAdded.TYPE:
            if message is not None:
                complete[fact.id] = message_added(message).wire_json()
            continue
        row = tickets.get(fact.subject)
        customer = None if row is None or row["id"] is None else Customer(*(row[name] for name in CUSTOMER_COLUMNS))
        said = TicketOpened.model_validate(stored[fact.id])
        if row is not None:
            complete[fact.id] = _opened(said, row, customer, message).wire_json()
    return complete


def _opened(said: TicketOpened, row: asyncpg.Record, customer: Customer | None, first: Message | None) -> TicketOpened:
    link = None
    if row["source"] is not None and row["conversation_id"] is not None:
        link = ConversationLink(source=row["source"], conversation_id=row["conversation_id"], url=row["url"])
    return said.model_copy(
        update={
            "subject": row["subject"],
            "conversation": link,
            "customer": requester(customer),
            "text": "" if first is None else inline(first.text)[0],
            "mail": None if first is None else first.mail,
        }
    )
