"""Tickets as far as notices need them, the people who are told, and the notices."""

from typing import TYPE_CHECKING, cast

from alembic import op

from libs.chassis.tables import create_chassis_tables
from services.notifier.tables import METADATA

if TYPE_CHECKING:
    from alembic.operations import Operations

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_chassis_tables(cast("Operations", op))
    METADATA.create_all(op.get_bind(), checkfirst=False)
