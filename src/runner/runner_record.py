"""The run record: one row a migration, in the database but outside the application's schema, which outlives Jobs.

A run that finds nothing to do writes none. A role that may not write it migrates all the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from runner_database import Database
from runner_failures import describe
from runner_plan_hash import plan_hash
from runner_task import Steps, Task
from runner_words import say
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

SCHEMA = "unity_migrations"
TABLE = f"{SCHEMA}.runs"
MAKE_SCHEMA = f"CREATE SCHEMA {SCHEMA}"
MAKE_TABLE = f"""
    CREATE TABLE {TABLE} (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        finished_at timestamptz,
        direction text NOT NULL CHECK (direction IN ('upgrade', 'downgrade')),
        from_revisions text[] NOT NULL,
        to_revisions text[],
        target text[] NOT NULL,
        revisions text[] NOT NULL DEFAULT '{{}}',
        image text NOT NULL,
        plan_hash text NOT NULL,
        outcome text NOT NULL DEFAULT 'running'
            CHECK (outcome IN ('running', 'succeeded', 'failed', 'interrupted')),
        error text,
        runner text NOT NULL
    )"""
COMMENT = f"""
    COMMENT ON TABLE {TABLE} IS 'Every migration: from_revisions and to_revisions are rows of alembic_version before'
    ' and after, revisions what was applied or undone, in that order'"""
OPEN = f"""
    INSERT INTO {TABLE} (direction, from_revisions, target, image, plan_hash, runner)
    VALUES (:direction, :from_revisions, :target, :image, :plan_hash, :runner) RETURNING id"""
ADD = f"UPDATE {TABLE} SET revisions = revisions || CAST(:revision AS text) WHERE id = :id"
CLOSE = f"""
    UPDATE {TABLE} SET finished_at = clock_timestamp(), outcome = :outcome, to_revisions = :to_revisions, error = :error
    WHERE id = :id"""
INTERRUPT = f"""
    UPDATE {TABLE} SET finished_at = clock_timestamp(), outcome = 'interrupted', error = :error
    WHERE outcome = 'running'"""


class RunRecord:
    """The row of one run, written on the session that holds the lock."""

    # Of the run that this process is at, for the thread that ends it.
    running: int | None = None

    def __init__(self, session: Connection) -> None:
        self._session: Connection | None = session

    def _write(self, statement: str, **values: Any) -> Any:
        """Runs a statement; after one that fails there is no record any more.

        :raises DBAPIError: if the session is lost, and the lock with it.
        """
        if self._session is None:
            return None
        try:
            result = self._session.execute(text(statement), values)
            return result.scalar() if result.returns_rows else None
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            self._session = None
            say(f"No run record: {str(error.orig).strip().splitlines()[0]}")
            return None

    def _exists(self) -> bool:
        return bool(self._write(f"SELECT to_regclass('{TABLE}') IS NOT NULL"))

    def close_abandoned(self) -> None:
        """Closes rows that runners left which died: who holds the lock knows that none is at work."""
        if self._exists():
            self._write(INTERRUPT, error="The runner ended without a word; the next one that took the lock wrote this.")

    def open(self, steps: Steps) -> None:
        """Writes the row, and makes the table for the first one."""
        if not self._exists():
            if not self._write(f"SELECT to_regnamespace('{SCHEMA}') IS NOT NULL"):
                self._write(MAKE_SCHEMA)
            self._write(MAKE_TABLE)
            self._write(COMMENT)
        image = os.environ.get("UNITY_IMAGE", "")
        RunRecord.running = self._write(
            OPEN,
            direction=steps.direction,
            from_revisions=sorted(steps.current),
            target=sorted(steps.target),
            image=image,
            plan_hash=plan_hash(image, steps.current, [(step.id, step.sql) for step in steps.revisions]),
            runner=os.environ.get("HOSTNAME", ""),
        )

    def add(self, revision: str) -> None:
        """Adds a revision that was applied or undone."""
        self._write(ADD, id=RunRecord.running, revision=revision)

    def close(self, outcome: str, database: Database, error: str | None) -> None:
        """Completes the row, with where the database is; the next run does if the session is lost."""
        with suppress(Exception, SystemExit):
            self._write("SELECT 1")  # before a look that may last, as on a database that is gone
            reached = sorted(database.current())
            self._write(CLOSE, id=RunRecord.running, outcome=outcome, to_revisions=reached, error=error)
        RunRecord.running = None


@contextmanager
def recorded(task: Task, steps: Steps, record: RunRecord) -> Iterator[None]:
    """Keeps a row of what its block does, and how it ends."""
    record.open(steps)
    try:
        yield
    except (Exception, SystemExit) as error:
        record.close("failed", task.database, describe(error))
        raise
    record.close("succeeded", task.database, None)


def record_interruption(session: Connection, message: str) -> None:
    """Closes the row of a run that this process is ended in."""
    if RunRecord.running is not None:
        session.execute(text(f"{INTERRUPT} AND id = :id"), {"id": RunRecord.running, "error": message})
