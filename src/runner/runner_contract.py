"""The session contract: what holds for every session of this process, however the image's env.py connects.

Hooks on SQLAlchemy's own events, which every engine and pool calls, sync or async, with any driver:

* on connect, the session gets the timeouts and the name of the runner, after the application's own `connect_args`, and
  ends soon after the runner's end;
* on connect and before each commit, one catalog query proves that the session is in the same server and database as the
  advisory lock, and that the lock is still held. A statement in autocommit mode is its own commit;
* a concurrent statement (CREATE INDEX CONCURRENTLY) waits for older transactions until the deadline, not only for the
  lock timeout: neither readers nor writers queue behind it.

The proof is a second advisory lock with a random key. While the session that holds both exists, no other one can
acquire it; a session of another server or database can. A query of `pg_locks` would prove the same at several times the
cost. The session that holds both is idle while revisions run: it has a heartbeat, and PostgreSQL's
`idle_session_timeout` is off for it.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from runner_dbapi import driver_session, query
from runner_errors import ABORTED_TRANSACTION, FatalError, LockLost, note_caught, sqlstate
from runner_heartbeat import Heartbeat
from sqlalchemy import event, text
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.engine import Connection, Engine, ExceptionContext
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import Pool

CONCURRENTLY = re.compile(r"\bCONCURRENTLY\b", re.IGNORECASE)
NO_IDLE_TIMEOUT = """
    SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name = 'idle_session_timeout'"""
# A server that executes a statement notices a killed runner only if it looks for it (PostgreSQL 14 and later).
CLIENT_CHECK = """
    (SELECT pg_catalog.set_config(name, '2s', false) FROM pg_catalog.pg_settings
    WHERE name OPERATOR(pg_catalog.=) 'client_connection_check_interval')"""
OWN = "migration_own"
"""Execution option of the runner's own engines."""
FIRST_ERROR = "migration_first_error"
"""Key of the error that aborted a connection's transaction."""


class Contract:
    """The limits of this process's sessions and, once it is held, the lock that they prove."""

    def __init__(self) -> None:
        self.settings: dict[str, str] = {}
        # Of the sessions that env.py opened, for the end of the process.
        self.sessions: set[int] = set()
        # The first broken promise: env.py or a revision may catch the error.
        self.violation: FatalError | LockLost | None = None
        self.heartbeat = Heartbeat()
        self._deadline = 0.0
        self._holder: Connection | None = None
        # SQL that tries to acquire the lock that proves: true if it is lost, or held in another database.
        self._acquired: str | None = None
        self._own = threading.local()

    def install(self, lock_timeout_seconds: float, statement_timeout_seconds: float, deadline: float) -> None:
        """Set the limits and the name, and add the hooks.

        :param deadline: In seconds of `time.monotonic`.
        """
        self._deadline = deadline
        self.settings = {
            "lock_timeout": f"{round(lock_timeout_seconds * 1000)}",
            "statement_timeout": f"{round(statement_timeout_seconds * 1000)}",
            # The runner finds its own sessions by this name. PostgreSQL truncates it to 63 bytes.
            "application_name": f"alembic-migrate {os.environ.get('HOSTNAME', '')[:40]}:{os.getpid()}",
        }
        event.listen(Engine, "do_connect", self._before_connect)
        event.listen(Pool, "connect", self._on_connect)
        event.listen(Engine, "commit", self._prove)
        event.listen(Engine, "before_cursor_execute", self._before_statement)
        event.listen(Engine, "after_cursor_execute", self._after_statement)
        event.listen(Engine, "handle_error", self._after_error)
        event.listen(Engine, "rollback", forget_error)

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
        lock = f"SELECT pg_catalog.pg_backend_pid() FROM pg_catalog.pg_advisory_lock({key})"
        pid: int = session.scalar(text(lock))
        session.execute(text(NO_IDLE_TIMEOUT))  # PostgreSQL 14 and later
        # Shared, so that only the lock that proves is in its way, not that of another session that tries.
        self._acquired = f"pg_catalog.pg_try_advisory_xact_lock_shared({key})"
        self._holder, self.violation = session, None
        try:
            with self.heartbeat.beating(session, lambda: {pid, *self.sessions}):
                yield
            if self.violation is not None:
                raise self.violation
        finally:
            self._acquired = self._holder = None

    def _before_connect(self, dialect: Any, *_: Any) -> None:
        if not isinstance(dialect, PGDialect):
            self.reject(
                FatalError(
                    f"env.py connects to a database of {dialect.name}, not of PostgreSQL. Nothing was changed there. "
                    "Make env.py read DATABASE_URL, or set the variable that it reads."
                )
            )

    def _on_connect(self, connection: Any, _record: Any) -> None:
        if getattr(self._own, "active", False):
            return
        facts = [self._acquired or "false", "pg_catalog.pg_backend_pid()", "pg_catalog.current_database()"]
        is_acquired, pid, database, *_ = query(
            connection, f"SELECT {', '.join([*facts, *assignments(self.settings), CLIENT_CHECK])}"
        )
        connection.commit()  # otherwise a rollback would revert the settings
        self.sessions.add(pid)
        if not is_acquired:
            return
        if self._is_lost():
            self._reject_lost()
        self.reject(
            FatalError(
                f"env.py connects to database {database} of another server, or to another database than DATABASE_URL. "
                "Nothing was changed there. Make env.py read DATABASE_URL, or set DATABASE_URL to the database that "
                "env.py connects to."
            )
        )

    def _before_statement(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if is_own(connection) or not is_autocommit(raw := driver_session(connection)):
            return
        self._prove(connection)
        if CONCURRENTLY.search(statement):
            milliseconds = max(1, round((self._deadline - time.monotonic()) * 1000))
            limits = {"lock_timeout": str(milliseconds), "statement_timeout": str(milliseconds)}
            query(raw, f"SELECT {', '.join(assignments(limits))}")
            connection.info[OWN] = True

    def _after_statement(self, connection: Connection, *_: Any) -> None:
        forget_error(connection)
        self._restore_limits(connection)

    def _restore_limits(self, connection: Connection) -> None:
        """Restore the limits after a concurrent statement."""
        if connection.info.pop(OWN, False):
            query(driver_session(connection), f"SELECT {', '.join(assignments(self.settings))}")

    def _after_error(self, context: ExceptionContext) -> None:
        if context.connection is None or context.is_disconnect:
            return
        self._restore_limits(context.connection)
        error = context.sqlalchemy_exception
        if error is None or sqlstate(error) is None:
            return
        first = context.connection.info.setdefault(FIRST_ERROR, error)
        if sqlstate(error) == ABORTED_TRANSACTION and first is not error:
            note_caught(error, first)

    def _prove(self, connection: Connection) -> None:
        if self._acquired is None or is_own(connection):
            return
        if self.violation is not None:  # which env.py or a revision has caught
            raise self.violation
        if query(driver_session(connection), f"SELECT {self._acquired}")[0]:
            self._reject_lost()

    def _is_lost(self) -> bool:
        assert self._holder is not None
        try:
            self._holder.scalar(text("SELECT 1"))
            return False
        except SQLAlchemyError:
            return True

    def _reject_lost(self) -> NoReturn:
        self.reject(LockLost("the session that holds the advisory lock has ended; nothing was committed without it"))

    def reject(self, error: FatalError | LockLost) -> NoReturn:
        """Raise an error that stops the migration even if env.py or a revision catches it."""
        self.violation = self.violation or error
        raise self.violation


def forget_error(connection: Connection) -> None:
    """Forget the error of a transaction that has ended, or that runs statements again after a savepoint."""
    if not connection.closed and not connection.invalidated:
        connection.info.pop(FIRST_ERROR, None)


def assignments(settings: Mapping[str, str]) -> list[str]:
    """Return expressions that set the settings of a session."""
    return [f"pg_catalog.set_config('{name}', '{value}', false)" for name, value in settings.items()]


def is_own(connection: Connection) -> bool:
    """Return whether a session is one of the runner's own."""
    return OWN in connection.engine.get_execution_options()


def is_autocommit(connection: Any) -> bool:
    """Return whether a driver's session commits each statement."""
    return bool(getattr(connection, "autocommit", False)) or getattr(connection, "isolation_level", "") == "autocommit"


CONTRACT = Contract()
