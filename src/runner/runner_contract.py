"""The session contract: what holds for every session of this process, however the image's env.py connects.

Hooks on SQLAlchemy's own events, which every engine and pool calls, sync or async, with any driver:

* on connect, the session gets the timeouts and the name of the runner, after the application's own `connect_args`;
* on connect and before each commit, one catalog query proves that the session is in the same server and database as the
  advisory lock, and that the lock is still held. A statement in autocommit mode is its own commit.

The proof is a second advisory lock with a random key: no session of another server or database can see it.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from runner_errors import FatalError
from sqlalchemy import event, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import Pool

# Every name is qualified, and every operator: the session's search_path is the application's.
HELD = """
    (SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks l
    JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) l.database
    WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
    AND l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted
    AND l.objsubid OPERATOR(pg_catalog.=) 1 AND l.pid OPERATOR(pg_catalog.=) {pid}
    AND l.classid OPERATOR(pg_catalog.=) {high}::pg_catalog.oid
    AND l.objid OPERATOR(pg_catalog.=) {low}::pg_catalog.oid)"""

OWN = "unity_own"
"""Execution option of the runner's own engines."""


class Contract:
    """The limits of this process's sessions and, once it is held, the lock that they prove."""

    def __init__(self) -> None:
        self.settings: dict[str, str] = {}
        # Of the sessions that env.py opened, for the end of the process.
        self.sessions: set[int] = set()
        # The first broken promise: env.py or a revision may catch the error.
        self.violation: FatalError | None = None
        self._held: str | None = None
        self._own = threading.local()

    def install(self, lock_timeout_seconds: float, statement_timeout_seconds: float) -> None:
        """Set the limits and the name, and add the hooks."""
        self.settings = {
            "lock_timeout": f"{round(lock_timeout_seconds * 1000)}",
            "statement_timeout": f"{round(statement_timeout_seconds * 1000)}",
            # The runner finds its own sessions by this name. PostgreSQL truncates it to 63 bytes.
            "application_name": f"unity-migrate {os.environ.get('HOSTNAME', '')[:40]}:{os.getpid()}",
        }
        event.listen(Pool, "connect", self._on_connect)
        event.listen(Engine, "commit", self._prove)
        event.listen(Engine, "before_cursor_execute", self._before_statement)

    @contextmanager
    def own_session(self) -> Iterator[None]:
        """Exempt the sessions that this block opens: the runner's own, which libpq gives the settings."""
        self._own.active = True
        try:
            yield
        finally:
            self._own.active = False

    @contextmanager
    def proven_by(self, session: Connection) -> Iterator[None]:
        """Require the proof of every session in this block.

        :param session: The session that holds the lock.
        """
        key = secrets.randbits(63)
        session.execute(text(f"SELECT pg_catalog.pg_advisory_lock({key})"))
        pid = session.scalar(text("SELECT pg_catalog.pg_backend_pid()"))
        self._held = HELD.format(pid=pid, high=key >> 32, low=key & 0xFFFFFFFF)
        try:
            yield
            if self.violation is not None:
                raise self.violation
        finally:
            self._held = None

    def _on_connect(self, connection: Any, _record: Any) -> None:
        if getattr(self._own, "active", False):
            return
        settings = [f"pg_catalog.set_config('{name}', '{value}', false)" for name, value in self.settings.items()]
        facts = [self._held or "1", "pg_catalog.pg_backend_pid()", "pg_catalog.current_database()"]
        held, pid, database, *_ = query(connection, f"SELECT {', '.join(facts + settings)}")
        connection.commit()  # otherwise a rollback would revert the settings
        self.sessions.add(pid)
        if held != 1:
            self._reject(
                f"env.py connects to database {database}, which is not the one of DATABASE_URL, or the advisory lock "
                "was lost. No revision was applied there. Make env.py read DATABASE_URL, or set DATABASE_URL to the "
                "database that env.py connects to."
            )

    def _before_statement(self, connection: Connection, *_: Any) -> None:
        if is_autocommit(connection.connection.dbapi_connection):
            self._prove(connection)

    def _prove(self, connection: Connection) -> None:
        if self._held is None or OWN in connection.engine.get_execution_options():
            return
        if query(connection.connection.dbapi_connection, f"SELECT {self._held}")[0] != 1:
            self._reject("the advisory lock was lost: another migration may run. The open transaction was rolled back.")

    def _reject(self, message: str) -> None:
        self.violation = self.violation or FatalError(message)
        raise self.violation


def query(connection: Any, sql: str) -> tuple[Any, ...]:
    """Return the first row of a query in a driver's session."""
    cursor = connection.cursor()
    try:
        cursor.execute(sql)
        return tuple(cursor.fetchone())
    finally:
        cursor.close()


def is_autocommit(connection: Any) -> bool:
    """Return whether a driver's session commits each statement."""
    return bool(getattr(connection, "autocommit", False)) or getattr(connection, "isolation_level", "") == "autocommit"


CONTRACT = Contract()
