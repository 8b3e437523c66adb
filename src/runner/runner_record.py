"""The run record: one row per migration, in the database but outside the application's schema. It outlives the Jobs.

A run without pending revisions writes no row. A role that can't write the record migrates without one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any, Callable

from runner_contract import CONTRACT
from runner_database import Database, VersionTable
from runner_heartbeat import query_from_thread
from runner_output import describe, report
from runner_plan import Plan, plan_hash
from runner_roles import literal
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

SCHEMA = "pulumi_alembic"
TABLE = f"{SCHEMA}.runs"
CREATE_SCHEMA = f"CREATE SCHEMA {SCHEMA}"
CREATE_TABLE = f"""
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
        runner text NOT NULL,
        rollback jsonb,
        blocked_seconds double precision
    )"""
COMMENT = f"""
    COMMENT ON TABLE {TABLE} IS 'Every migration: from_revisions and to_revisions are rows of the version table before'
    ' and after, revisions what was applied or downgraded, in that order, rollback its rollback window, blocked_seconds'
    ' how long at least one other session waited for its locks'"""
# Each revision rewrites the array. Compression would take most of the time of a long chain.
STORAGE = f"ALTER TABLE {TABLE} ALTER COLUMN revisions SET STORAGE EXTERNAL"
# For exporters, which may read this without the errors and images of the table.
VIEW = f"{SCHEMA}.metrics"
CREATE_VIEW = f"""
    CREATE VIEW {VIEW} AS SELECT direction, outcome,
        CAST(extract(epoch FROM started_at) AS double precision) AS last_run_start_timestamp_seconds,
        CAST(extract(epoch FROM finished_at - started_at) AS double precision) AS last_run_seconds,
        blocked_seconds AS last_run_blocked_seconds,
        CASE direction WHEN 'upgrade' THEN jsonb_array_length(rollback -> 'revisions') - cardinality(revisions) END
            AS revisions_behind
    FROM ONLY {TABLE} ORDER BY id DESC LIMIT 1"""
COMMENT_ON_VIEW = f"""
    COMMENT ON VIEW {VIEW} IS 'The last migration, for metrics exporters: revisions_behind is how many of its'
    ' revisions were not applied'"""
# Whether tables of earlier releases lack the view, and maybe columns, which this role may add.
IS_EARLIER = f"""
    SELECT to_regclass('{VIEW}') IS NULL
        AND pg_has_role(c.relowner, 'USAGE') AND has_schema_privilege(c.relnamespace, 'CREATE')
    FROM pg_catalog.pg_class c WHERE c.oid = to_regclass('{TABLE}')"""
ADD_COLUMNS = f"""
    ALTER TABLE {TABLE} ADD COLUMN IF NOT EXISTS rollback jsonb,
        ADD COLUMN IF NOT EXISTS blocked_seconds double precision"""
# The rollback window, by the format that `rollback-window.sql` reads.
ROLLBACK_VERSION = 1
SET_ROLLBACK = f"UPDATE {TABLE} SET rollback = CAST(:value AS jsonb) WHERE id = :id"
SET_BLOCKED = f"UPDATE {TABLE} SET blocked_seconds = :value WHERE id = :id"
INSERT = f"""
    INSERT INTO {TABLE} (direction, from_revisions, target, image, plan_hash, runner)
    VALUES (:direction, :from_revisions, :target, :image, :plan_hash, :runner) RETURNING id"""
APPEND = f"UPDATE {TABLE} SET revisions = revisions || CAST(:revision AS text) WHERE id = :id"
# Says in one statement whether the revision was committed, because each costs a round trip.
PREPARE_APPEND = f"""
    PREPARE append_committed (bigint, text, boolean) AS WITH appended AS (
        UPDATE {TABLE} SET revisions = revisions || $2
        WHERE id = $1 AND EXISTS (SELECT FROM ONLY {{table}} WHERE version_num = $2) = $3 RETURNING id
    ) SELECT EXISTS (SELECT FROM appended), set_config('synchronous_commit', 'off', true)"""
FINISH = f"""
    UPDATE {TABLE} SET finished_at = clock_timestamp(), outcome = :outcome, to_revisions = :to_revisions, error = :error
    WHERE id = :id AND outcome = 'running'"""  # not one that the thread of a signal has just closed
LAST_OUTCOME = f"SELECT outcome FROM {TABLE} ORDER BY id DESC LIMIT 1"
INTERRUPT = f"""
    UPDATE {TABLE} SET finished_at = clock_timestamp(), outcome = 'interrupted', error = :error
    WHERE outcome = 'running'"""


# Owners that could run code of theirs with the rights of this session, by a trigger or a view: neither this role nor
# one that it is a member of, nor the database's owner. A superuser has the rights of all roles, but didn't choose them.
FOREIGN_OWNERS = f"""
    SELECT string_agg(DISTINCT o.rolname, ', ') FROM pg_catalog.pg_roles o, pg_catalog.pg_roles me
    WHERE me.rolname = current_user AND NOT o.rolsuper AND o.oid <> me.oid
    AND (me.rolsuper OR NOT pg_has_role(o.oid, 'MEMBER'))
    AND o.oid NOT IN (SELECT datdba FROM pg_catalog.pg_database WHERE datname = current_database())
    AND o.oid IN (SELECT nspowner FROM pg_catalog.pg_namespace WHERE nspname = '{SCHEMA}'
        UNION ALL SELECT relowner FROM pg_catalog.pg_class WHERE oid = to_regclass('{TABLE}'))"""


class RunRecord:
    """The row of one run, written by the session that holds the lock."""

    # The row of this process's run, for the thread that handles signals, and how long others were blocked before it.
    running: int | None = None
    blocked_before = 0.0

    def __init__(self, session: Connection) -> None:
        self._session: Connection | None = session
        # Runs the prepared statement.
        self._scalar: Callable[[str], Any] | None = None

    def _write(self, statement: str, **values: Any) -> Any:
        """Run a statement. After an error, later calls do nothing.

        :raises DBAPIError: If the session is lost, and the lock with it.
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
            report(f"Run not recorded: {str(error.orig).strip().splitlines()[0]}")
            return None

    def _exists(self) -> bool:
        if foreign := self._write(FOREIGN_OWNERS):
            self._session = None
            report(
                f"Run not recorded: {foreign} owns schema {SCHEMA} or its table, and could run code as the role that "
                "migrates. Drop the schema, or transfer both to that role (ALTER ... OWNER TO)."
            )
        return bool(self._write(f"SELECT to_regclass('{TABLE}') IS NOT NULL"))

    def close_abandoned(self) -> None:
        """Close the rows of terminated runners: the holder of the lock knows that no other one is running."""
        if self._exists():
            self._write(INTERRUPT, error="The runner terminated without a message; recorded by the next runner.")

    def was_interrupted(self) -> bool:
        """Return whether the last run was interrupted."""
        return self._exists() and self._write(LAST_OUTCOME) == "interrupted"

    def open(self, plan: Plan, rollback: dict[str, Any] | None) -> None:
        """Insert the row, and create the table if it does not exist.

        :param rollback: The rollback window of the plan's revisions, see `rollback_of`; None for a downgrade.
        """
        if not self._exists():
            if not self._write(f"SELECT to_regnamespace('{SCHEMA}') IS NOT NULL"):
                self._write(CREATE_SCHEMA)
            self._write(CREATE_TABLE)
            self._write(STORAGE)
        if self._write(IS_EARLIER):
            for statement in (ADD_COLUMNS, COMMENT, CREATE_VIEW, COMMENT_ON_VIEW):
                self._write(statement)
        image = os.environ.get("MIGRATION_IMAGE", "")
        RunRecord.running = self._write(
            INSERT,
            direction=plan.direction,
            from_revisions=sorted(plan.current),
            target=sorted(plan.target),
            image=image,
            plan_hash=plan_hash(image, plan),
            runner=os.environ.get("HOSTNAME", ""),
        )
        RunRecord.blocked_before = CONTRACT.heartbeat.blocked_seconds
        if rollback is not None and self._session is not None:
            set_if_possible(self._session, SET_ROLLBACK, json.dumps(rollback))

    def add(self, revision: str) -> None:
        """Append a revision that was applied or downgraded."""
        self._write(APPEND, id=RunRecord.running, revision=revision)

    def add_committed(self, revision: str, table: str, is_upgrade: bool) -> bool:
        """Append a revision if the version table says that it was committed.

        :param table: Name of the version table, as `text` takes it.
        :returns: Whether it was appended. If not, nothing is known: the record may not be writable.
        """
        if self._session is None or RunRecord.running is None:
            return False
        try:
            if self._scalar is None:
                self._session.execute(text(PREPARE_APPEND.format(table=table)))
                self._scalar = query_from_thread(self._session)  # without SQLAlchemy, which would take as long again
            return bool(
                self._scalar(f"EXECUTE append_committed ({RunRecord.running}, {literal(revision)}, {is_upgrade})")
            )
        except Exception:  # if the session is lost, the next statement says so
            return False

    def close(self, outcome: str, read: Callable[[], frozenset[str]], error: str | None) -> None:
        """Complete the row with the rows of the version table. If the session is lost, the next run closes the row."""
        if RunRecord.running is None:
            return
        with suppress(Exception):
            if self._session is not None:
                set_blocked(self._session)
            self._write(FINISH, id=RunRecord.running, outcome=outcome, to_revisions=sorted(read()), error=error)
        RunRecord.running = None


def rollback_of(plan: Plan, table: VersionTable, database: Database) -> dict[str, Any] | None:
    """Return what the record says on rollbacks: of each revision, the one before and why its code may fail, or None.

    :param table: Another application in the same database may have a chain with the same ids in a table of its own.
    """
    if plan.direction != "upgrade":
        return None
    revisions = [
        {"id": each.id, "after": database.predecessor(each.id), "blocker": each.rollbackBlocker}
        for each in plan.revisions
    ]
    return {"version": ROLLBACK_VERSION, "table": asdict(table), "revisions": revisions}


@contextmanager
def recorded(record: RunRecord, read: Callable[[], frozenset[str]]) -> Iterator[None]:
    """Record the outcome of the block, if it opens a run.

    :param read: Returns the rows of the version table.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        record.close("failed", read, describe(error))
        raise
    record.close("succeeded", read, None)


def record_interruption(session: Connection, message: str) -> None:
    """Close the row of this process's run, if there is one."""
    if RunRecord.running is not None:
        set_blocked(session)
        session.execute(text(f"{INTERRUPT} AND id = :id"), {"id": RunRecord.running, "error": message})


def set_blocked(session: Connection) -> None:
    """Record for how long this process's run has blocked other sessions."""
    seconds = CONTRACT.heartbeat.blocked_seconds - RunRecord.blocked_before
    set_if_possible(session, SET_BLOCKED, round(seconds, 3))


def set_if_possible(session: Connection, statement: str, value: Any) -> None:
    """Set a column of this process's run, unless the table lacks it and belongs to another role.

    :raises DBAPIError: If the session is lost.
    """
    try:
        session.execute(text(statement), {"id": RunRecord.running, "value": value})
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
