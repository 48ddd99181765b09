"""Tables of lists: views that people keep (behaviour V-5), and the words that searches look through."""

from sqlalchemy import BigInteger, Column, DateTime, Index, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

from libs.chassis.tables import Xid8

metadata = MetaData()
"""The tables of lists."""

views = Table(
    "views",
    metadata,
    Column("id", Text(), primary_key=True),
    Column("label", Text(), nullable=False),
    # personal, queue or global; `owner` is an agent, `queue` a queue, each for the kind it belongs to
    Column("scope", Text(), nullable=False),
    Column("owner", Text()),
    Column("queue", Text()),
    Column("condition", JSONB(), nullable=False),
    Column("columns", ARRAY(Text()), nullable=False),
    Column("sort", Text(), nullable=False),
    Column("version", BigInteger(), nullable=False),
    Column("created_by", Text(), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Index("views_of_owner", "owner", postgresql_where=text("owner IS NOT NULL")),
)
"""Kept views. Personal data only as far as a person writes it into a name or a condition."""

ticket_search = Table(
    "ticket_search",
    metadata,
    Column("ticket_id", Text(), primary_key=True),
    Column("words", TSVECTOR(), nullable=False),
    # a short list of what is not in the index proper yet: searches read it from end to end
    Index("ticket_search_words", "words", postgresql_using="gin", postgresql_with={"gin_pending_list_limit": 1024}),
)
"""The words of every ticket; personal, written by one worker, made again from tickets and messages at any time."""

search_progress = Table(
    "search_progress",
    metadata,
    Column("name", Text(), primary_key=True),
    Column("xid", Xid8(), nullable=False),
    Column("id", BigInteger(), nullable=False),
)
"""Up to which fact the words are written."""
