"""INVALID indexes: what a CREATE or REINDEX INDEX CONCURRENTLY leaves that failed.

PostgreSQL keeps such an index up to date and never reads it, and a unique one keeps no promise: nothing but a look at
the catalogue shows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

# One that is being built is INVALID until it is done: its builder, which the progress view names even to roles that it
# hides the rest from, holds this lock on its table all the while. A partitioned index (relkind I) is INVALID until each
# partition has its own, which is a revision's business.
INVALID = """
    SELECT format('%I.%I', n.nspname, c.relname), i.indrelid::regclass::text
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT i.indisvalid AND c.relkind = 'i'
    AND n.nspname <> 'information_schema' AND left(n.nspname, 3) <> 'pg_'
    AND NOT EXISTS (
        SELECT FROM pg_stat_progress_create_index p JOIN pg_locks l ON l.pid = p.pid AND l.database = p.datid
        WHERE p.datname = current_database() AND l.relation = i.indrelid AND l.mode = 'ShareUpdateExclusiveLock')
    ORDER BY 1"""


@dataclass(frozen=True)
class Index:
    """An INVALID index."""

    # Both as SQL has them: quoted where they must be.
    name: str
    table: str


def invalid_indexes(session: Connection) -> tuple[Index, ...]:
    """The INVALID indexes of the database that nobody is building."""
    return tuple(Index(name, table) for name, table in session.execute(text(INVALID)))


def left_behind(session: Connection, before: Iterable[Index]) -> tuple[Index, ...]:
    """Those that have come since; none if the session is lost."""
    with suppress(SQLAlchemyError):
        return tuple(index for index in invalid_indexes(session) if index not in before)
    return ()


def describe_indexes(indexes: Iterable[Index]) -> str:
    """Each index with its table and what a person can do: a sentence each."""
    return " ".join(
        f"Index {index.name} of table {index.table} is INVALID: DROP INDEX CONCURRENTLY {index.name}, if a revision is "
        f"to build it anew, or else REINDEX INDEX CONCURRENTLY {index.name}."
        for index in indexes
    )
