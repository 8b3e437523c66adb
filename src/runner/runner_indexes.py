"""INVALID indexes, which a failed CREATE or REINDEX INDEX CONCURRENTLY leaves behind.

PostgreSQL updates such an index but never reads it, and a unique one does not enforce uniqueness. Only the catalog
shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

# Of other roles' tables outside the chain's schema, no revision needs an index: their owners have to fix those. A
# superuser has the privileges of all roles, so only the tables that it owns itself count there.
#
# An index under construction is INVALID, too. The progress view shows the pid of its session to every role, and that
# session holds this lock on the table until the end. A partitioned index (relkind I) is INVALID until each partition
# has its own, which is up to the revision.
INDEXES = """
    SELECT format('%I.%I', n.nspname, c.relname), format('%I.%I', n.nspname, t.relname), n.nspname, c.relname
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace"""
NAMED = f"{INDEXES} WHERE c.relname = ANY (CAST(:relations AS name[])) ORDER BY 1"
INVALID = f"""{INDEXES}
    JOIN pg_catalog.pg_roles me ON me.rolname = current_user
    WHERE NOT i.indisvalid AND c.relkind = 'i' AND pg_has_role(t.relowner, 'USAGE')
    AND (n.nspname = :schema OR t.relowner = me.oid OR NOT me.rolsuper)
    AND n.nspname <> 'information_schema' AND left(n.nspname, 3) <> 'pg_'
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_stat_progress_create_index p JOIN pg_catalog.pg_locks l
        ON l.pid = p.pid AND l.database = p.datid
        WHERE p.datname = current_database() AND l.relation = i.indrelid AND l.mode = 'ShareUpdateExclusiveLock')
    ORDER BY 1"""


@dataclass(frozen=True)
class Index:
    """An INVALID index."""

    # Both are quoted as SQL needs it.
    name: str
    table: str
    # Unquoted.
    schema: str
    relation: str

    def is_among(self, names: Iterable[str], default_schema: str | None) -> bool:
        """Return whether the index is one of those that a chain names, with a schema or in the chain's own."""
        known = {f"{self.schema}.{self.relation}"}
        if self.schema == default_schema:
            known.add(self.relation)
        return not known.isdisjoint(names)


def invalid_indexes(session: Connection, schema: str | None) -> tuple[Index, ...]:
    """Return the INVALID indexes of the chain's schema and of the session's own tables, without those being built."""
    return tuple(Index(*row) for row in session.execute(text(INVALID), {"schema": schema}))


def named_indexes(session: Connection, schema: str | None, names: Sequence[str]) -> tuple[Index, ...]:
    """Return the indexes that a chain names, valid or not.

    :param schema: The chain's schema, for names without one.
    """
    relations = {"relations": [name.rpartition(".")[2] for name in names]}
    found = [Index(*row) for row in session.execute(text(NAMED), relations)]
    return tuple(index for index in found if index.is_among(names, schema))


def new_invalid_indexes(session: Connection, schema: str | None, before: Iterable[Index]) -> tuple[Index, ...]:
    """Return the INVALID indexes that were not there before, or none if the session is lost."""
    with suppress(SQLAlchemyError):
        return tuple(index for index in invalid_indexes(session, schema) if index not in before)
    return ()


def describe_indexes(indexes: Iterable[Index]) -> str:
    """Return a message for each index: its name, its table, and the fix."""
    return " ".join(
        f"Index {index.name} of table {index.table} is INVALID. Drop it if a revision creates it (DROP INDEX "
        f"CONCURRENTLY {index.name}), otherwise rebuild it (REINDEX INDEX CONCURRENTLY {index.name})."
        for index in indexes
    )
