"""Run by alembic for every service: the connection and the service come as attributes of the configuration."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema=context.config.attributes["service"],
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
