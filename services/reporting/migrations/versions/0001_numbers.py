"""Tickets as reporting remembers them, tallies, and a second copy of both to rebuild into."""

from typing import TYPE_CHECKING, cast

from alembic import op

from libs.chassis.tables import create_chassis_tables
from services.reporting.tables import COPIES, FOLDED, metadata

if TYPE_CHECKING:
    from alembic.operations import Operations

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_chassis_tables(cast("Operations", op))
    metadata.create_all(op.get_bind(), checkfirst=False)
    op.execute("INSERT INTO live_copy (one, copy) VALUES (1, 'a')")
    # a copy is emptied before it is filled again, and the service makes and drops no tables
    service = op.get_context().version_table_schema
    folded = ", ".join(f"{table}_{copy}" for copy in COPIES for table in FOLDED)
    op.execute(f'GRANT TRUNCATE ON {folded} TO "{service}"')
