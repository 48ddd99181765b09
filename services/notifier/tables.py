"""The notifier's tables. People's names, addresses and words are only here, so they can be erased."""

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.types import TypeEngine

METADATA = MetaData()
MOMENT = DateTime(timezone=True)
DOMAIN_OF = "lower(split_part(recipient, '@', 2))"
"""The domain of a notice's recipient, as SQL."""


def _needed(name: str, type_: TypeEngine[Any], **options: Any) -> Column[Any]:
    return Column(name, type_, nullable=False, **options)


TICKETS = Table(
    "tickets",
    METADATA,
    _needed("id", Text(), primary_key=True),
    Column("opening", JSON()),
    _needed("living", JSON()),
    postgresql_with={"fillfactor": 50},
)
"""opening: what was known when it was opened, null until that was heard; living: what changes. Documents, because
they are read and written as a whole and never searched: columns cost five times as much. Half a page is left for the
next versions of its rows: an update touches no index."""
AGENTS = Table(
    "agents",
    METADATA,
    _needed("key", Text(), primary_key=True),
    Column("email", Text()),
    _needed("is_working", Boolean()),
)
QUEUES = Table(
    "queues",
    METADATA,
    _needed("key", Text(), primary_key=True),
    Column("lead", Text()),
    Column("schedule", Text()),
)
FAILING = Table(
    "failing_addresses",
    METADATA,
    _needed("address", Text(), primary_key=True),
    _needed("failures", Integer()),
    _needed("failed_at", MOMENT),
)
"""Addresses that do not exist, as their own servers said of answers of ours, and how often (behaviour A-6)."""
NOTICES = Table(
    "notices",
    METADATA,
    _needed("ticket", Text()),
    _needed("id", Text()),
    _needed("kind", Text()),
    _needed("way", Text()),
    _needed("cause", Text()),
    _needed("recipient", Text()),
    _needed("automatic", Boolean()),
    _needed("fact_at", MOMENT),
    _needed("created_at", MOMENT),
    _needed("state", Text()),
    Column("verdict", Text()),
    Column("reason", Text()),
    _needed("subject", Text()),
    _needed("text", Text()),
    _needed("sender", Text()),
    Column("reply_to", Text()),
    Column("message_id", Text()),
    Column("in_reply_to", Text()),
    _needed("thread", Text()),
    _needed("answers", Boolean()),
    Column("source_message", Text()),
    Column("attachments", Text()),
    Column("topic", Text()),
    Column("shared", Boolean()),
    Column("copy_for", Text()),
    Column("trace", Text()),
    _needed("attempts", Integer(), server_default="0"),
    Column("next_try", MOMENT),
    Column("sending_since", MOMENT),
    Column("settled_at", MOMENT),
    PrimaryKeyConstraint("ticket", "id"),
    UniqueConstraint("cause", "kind", "recipient", name="notices_once"),
    Index("notices_due", "next_try", postgresql_where=text("state = 'queued'")),
    Index("notices_sending", "sending_since", postgresql_where=text("state = 'sending'")),
    Index(
        "notices_acknowledged",
        "recipient",
        "created_at",
        postgresql_where=text("kind = 'acknowledgment' AND way = 'mail'"),
    ),
    Index(
        "notices_acknowledged_domain",
        text(DOMAIN_OF),
        "created_at",
        postgresql_where=text("kind = 'acknowledgment' AND way = 'mail' AND state <> 'suppressed'"),
    ),
    Index("notices_copies", "copy_for", postgresql_where=text("copy_for IS NOT NULL")),
    Index("notices_in_chat", "recipient", postgresql_where=text("way = 'chat'")),
    postgresql_with={"fillfactor": 85},
)
"""sending_since is real time, like a lease; all other moments are domain time."""
