"""The tables of bulk operations: a job, and each ticket it is about."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from libs.chassis.tables import UPDATED_IN_PLACE

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("id", Text(), primary_key=True),
    Column("state", Text(), nullable=False),
    # who asked, as facts name them
    Column("asked_by", Text(), nullable=False),
    Column("actor", Text(), nullable=False),
    Column("agent", Text()),
    Column("person", Boolean(), nullable=False),
    Column("trace", Text()),
    Column("action", JSONB(), nullable=False),
    # how far it is
    Column("total", Integer(), nullable=False),
    Column("done", Integer(), nullable=False, server_default="0"),
    Column("unchanged", Integer(), nullable=False, server_default="0"),
    Column("failed", Integer(), nullable=False, server_default="0"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    CheckConstraint("state IN ('running', 'done', 'cancelled')", name="jobs_state"),
    Index("jobs_running", "id", postgresql_where=text("state = 'running'")),
    Index("jobs_of", "asked_by", "id"),
    postgresql_with=UPDATED_IN_PLACE,
)

job_tickets = Table(
    "job_tickets",
    metadata,
    Column("job_id", Text(), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("ticket_id", Text(), nullable=False),
    Column("state", Text(), nullable=False),
    Column("reason", Text()),
    PrimaryKeyConstraint("job_id", "ticket_id"),
    CheckConstraint("state IN ('waiting', 'done', 'unchanged', 'failed')", name="job_tickets_state"),
    Index("job_tickets_waiting", "job_id", "ticket_id", postgresql_where=text("state = 'waiting'")),
    postgresql_with=UPDATED_IN_PLACE,
)
"""`reason`: why a ticket failed. `unchanged`: it was so already."""
