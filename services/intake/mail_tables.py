"""Tables of the mail half: raw bytes, receipts, and what finds the ticket of a mail.

Everything here is personal and can be erased (decisions 21).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from libs.chassis.tables import UPDATED_IN_PLACE

metadata = MetaData()
"""The tables of the mail half."""

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", Text(), primary_key=True),
    Column("size", BigInteger(), nullable=False),
    Column("content", LargeBinary(), nullable=False),
    # most mails stay in one piece, uncompressed: pieces beside the table cost twice as much to write
    postgresql_with={"toast_tuple_target": 8160},
)
"""Raw mails and attachments by what they are: the same bytes are kept once."""

loose_blobs = Table(
    "loose_blobs",
    metadata,
    Column("sha256", Text(), primary_key=True),
)
"""Blobs that may have lost their last reference: they are looked at, and deleted if it is so."""

uploads = Table(
    "uploads",
    metadata,
    Column("id", Text(), primary_key=True),
    Column("name", Text(), nullable=False),
    Column("content_type", Text(), nullable=False),
    Column("size", BigInteger(), nullable=False),
    Column("sha256", Text(), nullable=False),
    Column("content", LargeBinary(), nullable=False),
    Column("uploaded_by", Text(), nullable=False),
    Column("uploaded_at", DateTime(timezone=True), nullable=False),
)
"""Files for answers to come; what an answer takes goes into `blobs`, and a row is gone after a day."""

scans = Table(
    "scans",
    metadata,
    Column("sha256", Text(), primary_key=True),
    Column("found", Text()),
    Column("scanned_at", DateTime(timezone=True), nullable=False),
)
"""What the virus scanner said of contents; `found` is empty where they are clean. On real time."""

inbound_mail = Table(
    "inbound_mail",
    metadata,
    Column("id", BigInteger(), Identity(always=True), primary_key=True),
    Column("blob", Text(), nullable=False),
    Column("size", Integer(), nullable=False),
    Column("door", Text(), nullable=False),
    # the envelope, as far as the door knows it
    Column("sender", Text()),
    Column("recipients", ARRAY(Text()), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    # what became of it
    Column("disposition", Text(), nullable=False),
    Column("reason", Text()),
    # why it is suspended, in one word
    Column("because", Text()),
    # who wanted it all the same, or did not want it at all
    Column("handled_by", Text()),
    Column("handled_at", DateTime(timezone=True)),
    Column("verified", Boolean()),
    Column("settled_at", DateTime(timezone=True)),
    Column("mailbox", Text()),
    Column("identity", Text()),
    Column("author", Text()),
    Column("subject", Text()),
    Column("ticket_id", Text()),
    Column("message_id", Text()),
    Index("inbound_mail_waiting", "id", postgresql_where=text("disposition = 'received'")),
    Index("inbound_mail_suspended", "id", postgresql_where=text("disposition = 'suspended'")),
    Index("inbound_mail_refused", "author", "settled_at", postgresql_where=text("disposition = 'refused'")),
    # which receipts still have a raw mail, when it is to be erased
    Index("inbound_mail_blob", "blob", postgresql_where=text("settled_at IS NOT NULL AND blob <> ''")),
    Index("inbound_mail_opened", "author", "settled_at", postgresql_where=text("disposition = 'accepted'")),
    postgresql_with=UPDATED_IN_PLACE,
)
"""One row a receipt, with one final disposition. `message_id` is the id of our message."""

collected_mail = Table(
    "collected_mail",
    metadata,
    Column("source", Text(), nullable=False),
    Column("generation", BigInteger(), nullable=False),
    Column("key", Text(), nullable=False),
    Column("place", BigInteger(), nullable=False),
    Column("receipt", BigInteger()),
    Column("reason", Text()),
    Column("finished", Boolean(), nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("source", "generation", "key"),
    Index("collected_mail_places", "source", "generation", "place"),
    Index("collected_mail_unfinished", "source", "generation", postgresql_where=text("NOT finished")),
)
"""Mails of a mailbox that intake empties. By IMAP `generation` is UIDVALIDITY, `key` and `place` are the UID; `receipt`
once a mail is stored, `finished` once the mailbox knows it.
"""

mail_claims = Table(
    "mail_claims",
    metadata,
    Column("message_id", Text(), primary_key=True),
    Column("identity", Text(), nullable=False),
    Column("origin", Text(), nullable=False),
    Column("receipt", BigInteger(), nullable=False),
)
"""Which mail came first under a Message-ID, and by which receipt; `origin` is a hash of its author and date."""

mail_ids = Table(
    "mail_ids",
    metadata,
    Column("message_id", Text(), primary_key=True),
    Column("ticket_id", Text(), nullable=False),
)
"""The ticket of every Message-ID ever seen, also of those only mentioned (decisions 18)."""

watching_mailboxes = Table(
    "watching_mailboxes",
    metadata,
    Column("ticket_id", Text(), nullable=False),
    Column("mailbox", Text(), nullable=False),
    PrimaryKeyConstraint("ticket_id", "mailbox"),
)
"""Further mailboxes of ours that a mail of a ticket was written to (behaviour E-2)."""

participants = Table(
    "participants",
    metadata,
    Column("ticket_id", Text(), nullable=False),
    Column("email", Text(), nullable=False),
    Column("via", Text()),
    PrimaryKeyConstraint("ticket_id", "email"),
)
"""Who takes part in a ticket by mail (behaviour H-2). via: the merged ticket that they came with (M-3)."""

copied = Table(
    "copied",
    metadata,
    Column("ticket_id", Text(), nullable=False),
    Column("source", Text(), nullable=False),
    Column("ended", Boolean(), nullable=False),
    PrimaryKeyConstraint("ticket_id", "source"),
    Index("copied_sources", "source"),
)
"""Merged tickets whose requesters get a copy of each answer on a ticket (behaviour M-3). ended: no more; what left
before is still to be found when somebody is erased.
"""
