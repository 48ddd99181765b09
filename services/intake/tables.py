"""The tables of tickets: what was written and said on them, and what is known of agents and queues.

Names and texts live here and can be erased; `events` holds ids only (decisions 21).

Ids are UUIDv7, so ordering tickets by id is ordering them by creation.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

from libs.chassis.tables import UPDATED_IN_PLACE, Xid8

metadata = MetaData()
"""The tables of tickets."""

EMPTY_ARRAY = text("'{}'::text[]")

ticket_references = Sequence("ticket_references", start=1001, data_type=BigInteger(), metadata=metadata)

tickets = Table(
    "tickets",
    metadata,
    Column("id", Text(), primary_key=True),
    # how it came to be
    Column("reference", Text(), nullable=False),
    Column("channel", Text(), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("created_by", Text()),
    Column("mailbox", Text()),
    Column("suppress_reply", Boolean(), nullable=False),
    Column("source", Text()),
    Column("conversation_id", Text()),
    Column("intent", Text()),
    Column("follow_up_of", Text()),
    Column("split_from", Text()),
    Column("handoff", JSONB()),
    # what it is now
    Column("subject", Text(), nullable=False),
    Column("customer_id", Text()),
    Column("status", Text(), nullable=False),
    Column("status_category", Text(), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("version", BigInteger(), nullable=False),
    Column("epoch", BigInteger(), nullable=False),
    Column("priority", Text()),
    Column("assignee", Text()),
    Column("queue", Text()),
    Column("category", Text()),
    Column("tags", ARRAY(Text()), nullable=False),
    Column("custom", JSONB(), nullable=False),
    Column("tier", Text()),
    Column("organisation", Text()),
    Column("language", Text()),
    Column("routed", Boolean(), nullable=False),
    Column("spam", Boolean(), nullable=False),
    Column("removed", Text()),
    Column("merged_into", Text()),
    Column("customer_messages", Integer(), nullable=False),
    Column("human_replies", Integer(), nullable=False),
    Column("resolved_at", DateTime(timezone=True)),
    Column("close_at", DateTime(timezone=True)),
    Column("waiting_since", DateTime(timezone=True)),
    Column("reminders", Integer()),
    Column("answered_by", Text()),
    Column("resolved_owner", Text()),
    Column("rating", Integer()),
    Column("set_by_person", ARRAY(Text()), nullable=False),
    # a projection of what sla says: no version, no fact (decisions 23)
    Column("next_deadline", DateTime(timezone=True)),
    Index("tickets_reference", "reference", unique=True),
    Index(
        "tickets_conversation",
        "source",
        "conversation_id",
        "intent",
        unique=True,
        postgresql_where=text("source IS NOT NULL"),
    ),
    # by the minute, so that what routing and clocks change just after the opening touches no index
    Column(
        "updated_minute", DateTime(), Computed("date_trunc('minute', updated_at AT TIME ZONE 'UTC')", persisted=True)
    ),
    Index("tickets_updated", "updated_minute"),
    Index("tickets_removed", "id", postgresql_where=text("removed IS NOT NULL")),
    Index("tickets_merged", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
    # both stay as they are from the opening until a person acts; few different values: 7 bytes a ticket
    Index("tickets_status", "status_category", "status"),
    Index("tickets_customer", "customer_id", "id", postgresql_where=text("customer_id IS NOT NULL")),
    postgresql_with={"fillfactor": 50},
)

messages = Table(
    "messages",
    metadata,
    Column("id", Text(), primary_key=True),
    Column("ticket_id", Text()),
    Column("n", BigInteger()),
    Column("kind", Text()),
    Column("visibility", Text(), nullable=False),
    Column("author", Text()),
    Column("channel", Text(), nullable=False),
    Column("text", Text(), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("sent_at", DateTime(timezone=True)),
    Column("source", Text()),
    Column("conversation_id", Text()),
    Column("seq", BigInteger()),
    Column("html", Text()),
    Column("mail", JSONB()),
    Column("outbound", JSONB()),
    Column("attachments", JSONB()),
    Column("thanks", Boolean()),
    # what a source made of it afterwards: [{"id", "at", "text", "deleted"}]
    Column("revisions", JSONB()),
    # what became of an answer that left as mail: sent, or why not
    Column("delivery", Text()),
    Index("messages_ticket", "ticket_id", "n", postgresql_where=text("ticket_id IS NOT NULL")),
    Index(
        "messages_conversation",
        "source",
        "conversation_id",
        "seq",
        unique=True,
        postgresql_where=text("source IS NOT NULL"),
    ),
    # whose words are held on tickets of others, in which they take no part
    Index("messages_held", "author", postgresql_where=text("visibility = 'unverified'")),
    # which messages still have a file, when one is to be erased
    Index(
        "messages_attachments",
        "attachments",
        postgresql_using="gin",
        postgresql_ops={"attachments": "jsonb_path_ops"},
        postgresql_where=text("attachments IS NOT NULL"),
    ),
    postgresql_with=UPDATED_IN_PLACE,
)
"""Every message once. `ticket_id` is empty while its conversation has no ticket, and for what no ticket took."""

retention_progress = Table(
    "retention_progress",
    metadata,
    Column("kind", Text(), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("id", Text(), nullable=False),
)
"""How far contents were erased because of their age."""

conversations = Table(
    "conversations",
    metadata,
    Column("source", Text(), nullable=False),
    Column("conversation_id", Text(), nullable=False),
    Column("ticket_id", Text()),
    Column("customer_id", Text()),
    Column("channel", Text()),
    Column("url", Text()),
    Column("language", Text()),
    Column("name", Text()),
    Column("email", Text()),
    Column("phone", Text()),
    Column("tier", Text()),
    Column("organisation", Text()),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("resolved_at", DateTime(timezone=True)),
    Column("score", SmallInteger()),
    Column("comment", Text()),
    PrimaryKeyConstraint("source", "conversation_id"),
    Index("conversations_without_ticket", "updated_at", postgresql_where=text("ticket_id IS NULL")),
    postgresql_with=UPDATED_IN_PLACE,
)
"""Conversations of other systems; `ticket_id` is the ticket that takes what is written now."""

timeline = Table(
    "timeline",
    metadata,
    Column("ticket_id", Text(), nullable=False),
    Column("speaker", Text(), nullable=False),
    Column("n", BigInteger(), nullable=False),
    Column("type", Text(), nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("actor", Text()),
    Column("data", JSON(), nullable=False),
    # for lists: what was known when a walk over pages began
    Column("xid", Xid8(), nullable=False, server_default=text("pg_current_xact_id()")),
    PrimaryKeyConstraint("ticket_id", "speaker", "n"),
)
"""What other services said about a ticket; what intake said is in `events`."""

agents = Table(
    "agents",
    metadata,
    Column("key", Text(), primary_key=True),
    Column("name", Text()),
    # in lower case: whose mail is an agent's (behaviour H-6)
    Column("email", Text()),
    Column("queues", ARRAY(Text()), nullable=False, server_default=EMPTY_ARRAY),
    Column("active", Boolean(), nullable=False),
)
"""Agents as the router last said them."""

queues = Table(
    "queues",
    metadata,
    Column("key", Text(), primary_key=True),
    Column("name", Text(), nullable=False),
    Column("active", Boolean(), nullable=False),
)
"""Queues as the router last said them."""
