"""${message}"""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One statement per op.execute; expand now, contract in a later release."""
    ${upgrades if upgrades else "raise NotImplementedError"}
