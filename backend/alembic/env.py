"""Alembic's environment. Connects to DATABASE_URL, or uses the connection of the caller.

A caller passes its connection as ``config.attributes["connection"]``; the environment is not
read then. Each revision runs in its own transaction.
"""

import logging.config

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, pool

from app.config import SettingsError, database_url_from_environment
from app.models import Base


def run_offline() -> None:
    """Print the SQL. Requires neither a database nor DATABASE_URL."""
    context.configure(
        dialect_name="postgresql",
        target_metadata=Base.metadata,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_on(connection: Connection) -> None:
    """Run the command on a connection, and leave it open."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Run on the caller's connection, by default on a new one to DATABASE_URL."""
    given: Connection | None = context.config.attributes.get("connection")
    if given is not None:
        run_on(given)
        return
    try:
        url = database_url_from_environment()
    except SettingsError as error:
        raise CommandError(str(error)) from None
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        run_on(connection)


def configure_logging() -> None:
    """Apply the logging of alembic.ini, unless a caller passes its connection."""
    name = context.config.config_file_name
    if name is not None and "connection" not in context.config.attributes:
        logging.config.fileConfig(name, disable_existing_loggers=False)


configure_logging()
if context.is_offline_mode():
    run_offline()
else:
    run_online()
