"""The router begins: queues, agents, turns, tickets, decisions."""

from alembic import op

from libs.chassis.tables import create_chassis_tables
from services.router.tables import router_metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table in the schema being migrated."""
    create_chassis_tables(op)
    router_metadata().create_all(op.get_bind(), checkfirst=False)
