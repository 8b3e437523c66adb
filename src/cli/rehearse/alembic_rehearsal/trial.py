"""Run pending revisions on generated rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner_errors import FatalError
from sqlalchemy.exc import SQLAlchemyError

from .observer import Observer

COLLATION = "SELECT datcollate FROM pg_database WHERE datname = current_database()"


@dataclass(frozen=True)
class Trial:
    """A run on rows, with the field names of its JSON."""

    # In the order in which they run.
    pending: Sequence[str]
    # Statements that insert the rows of each table, and then those that prepare it, by its name in SQL.
    tables: Mapping[str, Sequence[str]]
    # Settings of the sessions in which revisions run.
    settings: Mapping[str, str]
    # Query of the milliseconds that the server takes for some work.
    speed: str

    def fill(self, observer: Observer) -> dict[str, Any]:
        """Insert the rows, without triggers and foreign keys.

        :return: Rows of each table, or the reason why it has none; the server's milliseconds, and its collation.
        :raises FatalError: If the role is not a superuser.
        """
        rows: dict[str, int] = {}
        failed: dict[str, str] = {}
        if not observer.scalar("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
            raise FatalError("generating rows requires a superuser. Pass the URL of one, or no URL for a new server.")
        observer.execute("SET session_replication_role = replica")
        for table, statements in self.tables.items():
            try:
                for statement in statements:
                    observer.execute(escaped(statement))
                rows[table] = observer.scalar(escaped(f"SELECT count(*) FROM {table}"))
            except SQLAlchemyError as error:
                failed[table] = str(getattr(error, "orig", error)).strip().splitlines()[0]
        observer.execute("RESET session_replication_role")
        observer.execute("CHECKPOINT")
        speed, collation = observer.scalar(escaped(self.speed)), observer.scalar(COLLATION)
        return {"rows": rows, "failed": failed, "speed": speed, "collation": collation}


def escaped(sql: str) -> str:
    """Return SQL for `text`, which takes a colon for the start of a parameter's name."""
    return sql.replace(":", "\\:")
