"""The tables of sla beside the chassis' own."""

from sqlalchemy import Boolean, Column, DateTime, Index, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSON

metadata = MetaData()

tickets = Table(
    "tickets",
    metadata,
    Column("id", Text(), primary_key=True),
    Column("clocks", JSON(), nullable=False),
    Column("state", JSON(), nullable=False),
    Column("next_deadline", DateTime(timezone=True)),
    Column("next_warning", DateTime(timezone=True)),
    Column("basis", Text(), nullable=False),
    Column("open", Boolean(), nullable=False),
    Index("tickets_at_risk", "next_deadline", "id", postgresql_where=text("next_deadline IS NOT NULL")),
    postgresql_with={"fillfactor": 50},
)
"""One row a ticket. clocks: see document.py; state: the last header `ticket`; the rest is there to be found.

Documents are read as a whole, so they are kept as they are written. Half a page is left for the next versions of its
rows: as long as no deadline moves, an update then touches no index.

next_deadline, next_warning: the earliest of the clocks that tick. basis: what deadlines were computed by (Rules.basis).
open: whether a clock could still tick.
"""

queues = Table(
    "queues",
    metadata,
    Column("key", Text(), primary_key=True),
    Column("schedule", Text()),
)
