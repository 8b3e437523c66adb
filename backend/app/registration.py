"""Registration of the built-in plugins in the database.

The application does not wait for a database that is down: a daemon thread retries until it
succeeds.
"""

import logging
import threading
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Engine, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from app.builtin import PluginDefinition
from app.database import describe_error
from app.models import Plugin

RETRY_SECONDS = 2.0

log = logging.getLogger(__name__)


def register_plugins(connection: Connection, plugins: Iterable[PluginDefinition]) -> None:
    """Insert new plugins as disabled, and update the descriptions of existing ones.

    Replicas may do this concurrently, hence one statement with ON CONFLICT and sorted rows.
    Whether a plugin is enabled, and its configuration, are up to the operator.
    """
    rows = [
        {"id": p.id, "name": p.name, "description": p.description, "version": p.version}
        for p in sorted(plugins, key=lambda plugin: plugin.id)
    ]
    if not rows:
        return
    statement = insert(Plugin).values(rows)
    new = statement.excluded
    upsert = statement.on_conflict_do_update(
        index_elements=[Plugin.id],
        set_={
            "name": new.name,
            "description": new.description,
            "version": new.version,
            "updated_at": func.now(),
        },
    )
    connection.execute(upsert)


class Registration(threading.Thread):
    """Registers plugins in the background, with retries, until it succeeds or is stopped."""

    def __init__(
        self,
        engine: Engine,
        plugins: Sequence[PluginDefinition],
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        super().__init__(name="plugin-registration", daemon=True)
        self.registered = threading.Event()
        self.first_attempt = threading.Event()
        self._engine = engine
        self._plugins = plugins
        self._retry_seconds = retry_seconds
        self._stopped = threading.Event()

    def run(self) -> None:
        """Retry until the plugins are registered. Log each new error once."""
        reported = ""
        while not self._stopped.is_set():
            error = self._attempt()
            if error is None:
                log.info("registered %d built-in plugins", len(self._plugins))
                return
            if error != reported:
                log.warning("can't register built-in plugins, retrying: %s", error)
                reported = error
            self._stopped.wait(self._retry_seconds)

    def stop(self) -> None:
        """Stop retrying."""
        self._stopped.set()

    def _attempt(self) -> str | None:
        try:
            with self._engine.begin() as connection:
                register_plugins(connection, self._plugins)
        except SQLAlchemyError as error:
            return describe_error(error, self._engine.url)
        else:
            self.registered.set()
            return None
        finally:
            self.first_attempt.set()
