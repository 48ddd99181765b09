"""The toy's one table beside the chassis' own."""

import sqlalchemy as sa
from alembic import op

from libs.chassis.tables import create_chassis_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_chassis_tables(op)
    op.create_table(
        "seen",
        sa.Column("position", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
    )
