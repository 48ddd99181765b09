"""The clocks of tickets, and the schedules of queues."""

from typing import TYPE_CHECKING, cast

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON

from libs.chassis.tables import create_chassis_tables

if TYPE_CHECKING:
    from alembic.operations import Operations

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_chassis_tables(cast("Operations", op))
    op.create_table(
        "tickets",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("clocks", JSON(), nullable=False),
        sa.Column("state", JSON(), nullable=False),
        sa.Column("next_deadline", sa.DateTime(timezone=True)),
        sa.Column("next_warning", sa.DateTime(timezone=True)),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        postgresql_with={"fillfactor": 50},
    )
    op.create_index(
        "tickets_at_risk",
        "tickets",
        ["next_deadline", "id"],
        postgresql_where=sa.text("next_deadline IS NOT NULL"),
    )
    op.create_table("queues", sa.Column("key", sa.Text(), primary_key=True), sa.Column("schedule", sa.Text()))
