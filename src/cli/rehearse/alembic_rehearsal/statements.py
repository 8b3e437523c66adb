"""Record the statements that run, as text with their values, with their duration, rows, and locks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from alembic_lock.offline import RenderingLimit
from alembic_lock.recorder import literal, with_values
from runner_contract import is_autocommit, is_own
from runner_dbapi import driver_session, query
from sqlalchemy import event
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection, Engine, ExceptionContext

from .observer import Blocker, Lock, Observer
from .stopwatch import Stopwatch

SAVEPOINT = re.compile(r"\bsa_savepoint_(\d+)\b")
"""SQLAlchemy counts the savepoints of a connection."""
READS = re.compile(r"\s*SELECT\b", re.IGNORECASE)


@dataclass
class Statement:
    """A statement that ran, with the field names of the JSON document."""

    sql: str
    # Whether it committed itself.
    autocommit: bool
    milliseconds: float
    # None if the server reports none.
    rows: int | None
    # Locks on tables that existed before the revision, which no earlier statement of the transaction had taken.
    locks: list[Lock] = field(default_factory=list)
    # Whether it only reads PostgreSQL's catalogs, as SQLAlchemy does before it creates a type.
    readsCatalog: bool = False
    failed: bool = False


class Statements:
    """The statements of the revision that runs, on any connection of SQLAlchemy's."""

    def __init__(self, observer: Observer) -> None:
        """Add the hooks, after those of the contract."""
        self._observer = observer
        self._found: list[Statement] | None = None
        self._held: list[Lock] = []
        # The texts of the construct that is executed next, and the context that has executed some.
        self._texts: list[str] | None = None
        self._context: Any = None
        self._watch: Stopwatch | None = None
        self._blocker: Blocker | None = None
        event.listen(Engine, "before_execute", self._before_construct)
        event.listen(Engine, "before_cursor_execute", self._before_statement)
        event.listen(Engine, "after_cursor_execute", self._after_statement)
        event.listen(Engine, "handle_error", self._after_error)
        event.listen(Engine, "commit", self._after_transaction)
        event.listen(Engine, "rollback", self._after_transaction)

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Record the statements of this block."""
        self._found, self._held = [], []
        try:
            yield
        finally:
            self._last, self._found = self._found, None
            if self._blocker is not None:  # of a statement that failed before it ran
                self._blocker.end()
                self._blocker = None

    def last(self) -> list[dict[str, Any]]:
        """Return the statements of the last block."""
        numbers: dict[str, str] = {}
        for statement in self._last:
            statement.sql = SAVEPOINT.sub(
                lambda found: f"sa_savepoint_{numbers.setdefault(found[1], str(len(numbers) + 1))}", statement.sql
            )
        return [asdict(statement) for statement in self._last]

    def _after_transaction(self, connection: Connection) -> None:
        if not is_own(connection):
            self._held = []

    def _before_construct(self, connection: Connection, construct: Any, several: Any, single: Any, *_: Any) -> None:
        if self._found is None or is_own(connection) or isinstance(construct, str):
            return
        rows = several[0] if len(several) == 1 and isinstance(several[0], (list, tuple)) else several
        self._texts = as_texts(connection, construct, list(rows) or [single or {}])

    def _before_statement(
        self, connection: Connection, _cursor: Any, statement: str, _parameters: Any, context: Any, *_: Any
    ) -> None:
        if self._found is None or is_own(connection):
            return
        raw = driver_session(connection)
        if "rehearsal_pid" not in connection.info:
            connection.info["rehearsal_pid"] = query(raw, "SELECT pg_catalog.pg_backend_pid()")[0]
        if is_autocommit(raw) and not READS.match(statement):
            self._blocker = self._observer.blocker(connection.info["rehearsal_pid"])
        self._watch = Stopwatch(connection.info["rehearsal_pid"])

    def _after_statement(
        self, connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, *_: Any
    ) -> None:
        if self._found is None or is_own(connection):
            return
        self._add(connection, cursor, statement, parameters, context, failed=False)

    def _after_error(self, error: ExceptionContext) -> None:
        if self._found is None or error.connection is None or is_own(error.connection) or error.statement is None:
            return
        self._add(error.connection, None, error.statement, error.parameters, error.execution_context, failed=True)

    def _add(
        self, connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, failed: bool
    ) -> None:
        assert self._found is not None
        milliseconds = self._watch.milliseconds() if self._watch else 0.0
        is_single = self._blocker is not None or is_autocommit(driver_session(connection))
        locks = self._locks(connection.info.get("rehearsal_pid"))
        texts, self._texts = self._texts, None
        if texts is None and context is not None and context is self._context:
            self._found[-1].milliseconds += milliseconds  # the next batch of the same rows
            return
        self._context = context
        rows = getattr(cursor, "rowcount", -1)
        for text in texts or [with_parameters(connection, statement, parameters)]:
            reads = bool(READS.match(text)) and "pg_catalog." in text
            self._found.append(Statement(text, is_single, milliseconds, None, locks, reads, failed))
            milliseconds, locks = 0.0, []
        self._found[-1].rows = rows if rows >= 0 else None

    def _locks(self, pid: int | None) -> list[Lock]:
        """Return the locks that the session has taken since the last statement."""
        if self._blocker is not None:
            blocker, self._blocker = self._blocker, None
            return blocker.end()
        if pid is None:
            return []
        held = self._observer.locks(pid)
        taken = [lock for lock in held if lock not in self._held]
        self._held = held
        return taken


def as_texts(connection: Connection, construct: Any, rows: list[Any]) -> list[str] | None:
    """Return a construct as the lock renders it, once for each row of values; None if a value has no literal."""
    if not all(isinstance(row, Mapping) for row in rows):
        return None
    dialect: Any = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    for name in ("server_version_info", "_backslash_escapes", "default_schema_name"):
        setattr(dialect, name, getattr(connection.dialect, name, None))
    try:
        return [terminated(literal(with_values(construct, row), dialect)) for row in rows]
    except (RenderingLimit, Exception):  # a literal that SQLAlchemy can't render fails in many ways
        return None


def with_parameters(connection: Connection, statement: str, parameters: Any) -> str:
    """Return the statement of a driver, with its values as the driver writes them, where it does."""
    if not parameters:
        return terminated(statement)
    raw = driver_session(connection)
    rows = parameters if isinstance(parameters, list) else [parameters]
    try:
        if connection.dialect.driver == "psycopg":
            from psycopg import ClientCursor

            cursor: Any = ClientCursor(raw)
        else:
            cursor = raw.cursor()
        texts = [cursor.mogrify(statement, row) for row in rows]
        return "\n".join(terminated(text.decode() if isinstance(text, bytes) else text) for text in texts)
    except Exception:
        return terminated(f"{statement} /* values: {parameters!r} */")


def terminated(sql: str) -> str:
    """Return a statement as the lock records it."""
    return f"{sql.strip()};"
