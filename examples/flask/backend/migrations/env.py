"""Alembic's environment, with the engine of the Flask app."""

from logging.config import fileConfig

from alembic import context
from flask import current_app

config = context.config
fileConfig(config.config_file_name)

migrate = current_app.extensions["migrate"]
engine = migrate.db.engine
metadata = migrate.db.metadatas[None]


def run_migrations_offline():
    """Print the SQL."""
    context.configure(url=engine.url, target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def run_migrations_online():
    """Run the revisions with the app's engine."""
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, **migrate.configure_args)
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    run_migrations_offline()
else:
    run_migrations_online()
