"""Raw mails, their receipts, and what finds the ticket of a mail."""

from alembic import op

from services.intake.mail_tables import metadata

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata.create_all(op.get_bind(), checkfirst=False)
    # a closed ticket leads to its follow-up (behaviour H-4)
    op.create_index("tickets_follow_up", "tickets", ["follow_up_of", "id"], postgresql_where="follow_up_of IS NOT NULL")
