"""Alembic's environment. Connects to DATABASE_URL, or uses the connection of the caller."""

from alembic import context
from sqlalchemy import Connection, create_engine, pool

from notes.database import url_from_environment
from notes.models import Base


def run_on(connection: Connection) -> None:
    """Run the command on a connection, each revision in its own transaction."""
    context.configure(connection=connection, target_metadata=Base.metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if context.is_offline_mode():
    context.configure(
        dialect_name="postgresql",
        target_metadata=Base.metadata,
        literal_binds=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
elif given is not None:
    run_on(given)
else:
    with create_engine(url_from_environment(), poolclass=pool.NullPool).connect() as own:
        run_on(own)
