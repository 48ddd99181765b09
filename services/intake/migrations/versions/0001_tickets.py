"""Tickets, their messages, the people and conversations behind them, and what is known of agents and queues."""

from typing import TYPE_CHECKING, cast

from alembic import op

from libs.chassis.tables import create_chassis_tables
from services.intake import customer_tables, job_tables, seal_tables, suspect_tables, view_tables
from services.intake.tables import metadata

if TYPE_CHECKING:
    from alembic.operations import Operations

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_chassis_tables(cast("Operations", op))
    metadata.create_all(op.get_bind(), checkfirst=False)
    for more in (customer_tables, job_tables, seal_tables, suspect_tables, view_tables):
        more.metadata.create_all(op.get_bind(), checkfirst=False)
    # what was sealed is never changed
    op.execute('REVOKE UPDATE, DELETE, TRUNCATE ON seals, seal_blocks FROM "intake"')
    # how often a word occurs decides how a search for it goes
    op.execute("ALTER TABLE ticket_search ALTER COLUMN words SET STATISTICS 500")
