"""Observe other sessions and the schema, from sessions of our own."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from runner_database import committed_rows
from runner_session import connect
from runner_url import DatabaseUrl
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

LOCKS = """
    SELECT CASE WHEN n.nspname ~ '[."]' THEN quote_ident(n.nspname) ELSE n.nspname END || '.'
        || CASE WHEN c.relname ~ '[."]' THEN quote_ident(c.relname) ELSE c.relname END, l.mode
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE l.pid = :pid AND l.granted = :granted AND l.database IN (
        SELECT oid FROM pg_database WHERE datname = current_database())
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    ORDER BY 1, 2"""
TABLES = """
    SELECT string_agg(format('ONLY %I.%I', n.nspname, c.relname), ', ' ORDER BY c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"""
END = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = :pid AND (:idle OR state <> 'idle')"""
SCHEMA = Path(__file__).parents[3] / "lockfile" / "database-schema" / "query.sql"

Lock = tuple[str, str]
"""A table and the mode of a lock on it."""


class Observer:
    """Sessions that see what env.py's sessions have committed, and which locks they hold."""

    def __init__(self, url: DatabaseUrl) -> None:
        self._session: Connection = connect(url)
        self._holder: Connection = connect(url)
        self._session.execute(text("SET jit = off"))  # compiling the schema's query takes longer than running it
        self._schema = re.sub(r"^ *--.*\n", "", SCHEMA.read_text(encoding="utf-8"), flags=re.MULTILINE)

    def scalar(self, sql: str, **parameters: Any) -> Any:
        """Return the first column of the first row."""
        return self._session.scalar(text(sql), parameters)

    def execute(self, sql: str) -> None:
        """Execute a statement."""
        self._session.execute(text(sql))

    def schema(self) -> str:
        """Return the JSON of the database's schema."""
        return str(self.scalar(f"SELECT ({self._schema})::text"))

    def rows(self, version_table: str) -> frozenset[str]:
        """Return the rows of the version table that are committed, none if the table itself is not."""
        return committed_rows(self._session, version_table)

    def end(self, pids: Iterable[int], idle: bool = True) -> None:
        """End sessions, which may be left open in a transaction.

        :param idle: Whether to end those without a transaction, too, such as those of a pool.
        """
        for pid in pids:
            self.scalar(END, pid=pid, idle=idle)

    def locks(self, pid: int, granted: bool = True) -> list[Lock]:
        """Return the table locks that a session holds, or the one that it waits for, on tables that are committed."""
        found = self._session.execute(text(LOCKS), {"pid": pid, "granted": granted})
        return [(str(table), mode_of(str(mode))) for table, mode in found]

    def blocker(self, pid: int) -> Blocker:
        """Return a blocker of a session's next statement."""
        return Blocker(self, self._holder, pid)


class Blocker:
    """Makes a statement wait that commits itself: its lock would be gone when it ends.

    Each table is locked in a mode that conflicts with itself and all stronger ones, until the statement waits for one
    of them. What it locks afterwards remains unknown.
    """

    def __init__(self, observer: Observer, holder: Connection, pid: int) -> None:
        self._observer, self._holder, self._pid = observer, holder, pid
        self._found: list[Lock] = []
        self._ended = threading.Event()
        holder.execute(text("BEGIN"))
        try:
            holder.execute(text("SET LOCAL lock_timeout = '1s'"))
            if tables := observer.scalar(TABLES):
                holder.execute(text(f"LOCK TABLE {tables} IN SHARE UPDATE EXCLUSIVE MODE".replace(":", "\\:")))
        except SQLAlchemyError:
            self._ended.set()  # another session of the revision holds one
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        try:
            while not self._found and not self._ended.wait(0.002):
                self._found = self._observer.locks(self._pid, granted=False)
        finally:
            self._holder.execute(text("ROLLBACK"))

    def end(self) -> list[Lock]:
        """Return the lock for which the statement waited, if it did."""
        self._ended.set()
        self._thread.join()
        return self._found


def mode_of(name: str) -> str:
    """Return `SHARE ROW EXCLUSIVE` for the `ShareRowExclusiveLock` of pg_locks, as the documentation writes it."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", re.sub("Lock$", "", name)).upper()
