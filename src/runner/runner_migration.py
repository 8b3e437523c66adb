"""Modes `upgrade`, `downgrade`, and `reach`: run a plan, one migration at a time per database."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Callable

from alembic.runtime.migration import MigrationContext, MigrationStep
from runner_chain import Revision
from runner_contract import CONTRACT
from runner_database import committed_rows, in_text, version_table
from runner_errors import FatalError, RevisionFailed, is_retryable, origin
from runner_exit import EXITING
from runner_grants import grant
from runner_indexes import Index, describe_indexes, invalid_indexes, named_indexes, new_invalid_indexes
from runner_job_plan import JobPlan, read_job_plan, verify_database, verify_start
from runner_lock import acquire_lock, reject_pooler
from runner_older_sessions import await_older_sessions
from runner_output import format_revisions, report
from runner_plan import Plan, Task, plan_downgrade, plan_either, plan_upgrade
from runner_record import RunRecord, recorded, rollback_of
from runner_roles import ensure_role
from runner_session import connect, reject_read_only, reject_read_only_url, reject_unencrypted
from runner_spans import SPANS
from runner_window import tolerating
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

MakePlan = Callable[[Task, frozenset[str]], Plan]
"""Plans a task from the rows of the version table."""


def upgrade(task: Task) -> None:
    """Apply the pending revisions up to the target."""
    migrate(task, plan_upgrade)


def downgrade(task: Task) -> None:
    """Undo the revisions beyond the target, newest first."""
    migrate(task, plan_downgrade)


def reach(task: Task) -> None:
    """Upgrade or downgrade to the target."""
    migrate(task, plan_either)


def migrate(task: Task, make_plan: MakePlan) -> None:
    """Run the plan that `make_plan` returns under the lock, with a log line per revision.

    :raises FatalError: Before the first revision or after the last, if only a manual action helps.
    :raises RevisionFailed: If a revision fails. The ones before it stay.
    """
    job_plan = read_job_plan()
    reject_read_only_url(task.url)
    with connect(task.url) as session:
        reject_unencrypted(session)
        reject_read_only(session)
        reject_pooler(session, task.url)
        acquire_lock(session, task.deadline)
        if job_plan:
            verify_database(job_plan, session)
        record = RunRecord(session)
        run = Run(task, make_plan, job_plan, session, record)
        with CONTRACT.proven_by(session), recorded(record, run.rows):
            run.migrate()


class Run:
    """One migration: the steps of its plan, which Alembic takes one by one while env.py runs."""

    def __init__(
        self, task: Task, make_plan: MakePlan, job_plan: JobPlan | None, session: Connection, record: RunRecord
    ) -> None:
        self._task = task
        self._make_plan = make_plan
        self._job_plan = job_plan
        # The session that holds the lock.
        self._session = session
        self._record = record
        self._plan: Plan | None = None
        # Schema where env.py's sessions create tables; None without one in their path.
        self._schema: str | None = None
        # Name of the version table, known before the first step.
        self._table: str | None = None
        self._invalid: tuple[Index, ...] = ()
        self._done = 0
        # The revision whose transaction is open.
        self._running: tuple[Revision, float] | None = None

    def migrate(self) -> None:
        """Run env.py, and check the result.

        Once is enough, unless env.py has a transaction of its own around all revisions: then it runs for each of them.
        """
        plan = self._run_env()
        while self._done < len(plan.revisions):
            self._run_env()
        if not plan.revisions:
            return report(plan.summary)
        result = self._make_plan(self._task, self.rows())
        if result.revisions:
            raise FatalError(
                f"the database is at {format_revisions(result.current)} after the {plan.direction}, expected "
                f"{format_revisions(plan.target)}"
            )
        if leftovers := new_invalid_indexes(self._session, self._schema, self._invalid):
            raise FatalError(f"all revisions succeeded, but: {describe_indexes(leftovers)}")
        if self._task.role:
            grant(self._session, self._task.role.name, self._schema, self._task.chain.version_table)
        return report(result.summary)

    def rows(self) -> frozenset[str]:
        """Return the rows of the version table, as other sessions see them."""
        if self._table is None:
            return self._plan.current if self._plan else frozenset()
        return committed_rows(self._session, self._table)

    def _run_env(self) -> Plan:
        try:
            self._task.database.run(self._steps, destination_rev=self._task.target or "heads")
            if self._running is not None:
                self._finish(self._is_recorded())
        except (Exception, SystemExit) as error:
            cause = CONTRACT.violation or origin(error)
            SPANS.end(cause)
            if self._running is None:
                raise cause from error
            revision, _ = self._running
            if is_retryable(cause):
                self._task.retried.add(revision.id)
            leftovers = describe_indexes(self._drop_leftovers(is_retryable(cause)))
            raise RevisionFailed(f"{revision.id} ({revision.title})", cause, leftovers) from error
        assert self._plan is not None
        return self._plan

    def _drop_leftovers(self, is_retryable: bool) -> tuple[Index, ...]:
        """Return the INVALID indexes that a failed revision left, without those that are dropped for a retry."""
        leftovers = new_invalid_indexes(self._session, self._schema, self._invalid)
        if not is_retryable:
            return leftovers
        with suppress(SQLAlchemyError):
            self._drop(leftovers)
        return new_invalid_indexes(self._session, self._schema, self._invalid)

    def _steps(self, current: frozenset[str], context: MigrationContext) -> Iterator[MigrationStep]:
        """Yield the step of each revision. Alembic resumes it after the step's transaction."""
        plan = self._plan = self._plan or self._begin(current, context)
        for revision in plan.revisions[self._done :]:
            self._table = self._table or version_table(context)
            if plan.direction == "upgrade" and plan.current and revision.breaksOlderCode:
                await_older_sessions(self._session, self._task.database, revision, self._task.deadline)
            with EXITING:  # no revision starts once the process ends
                self._running = revision, time.monotonic()
            SPANS.start(plan.direction, revision)
            yield self._task.database.step(plan.direction, revision.id)
            assert context.connection is not None
            is_recorded = self._is_recorded()
            if not is_recorded and context.connection.in_transaction():
                return  # env.py commits its own transaction when it ends
            self._finish(is_recorded)

    def _begin(self, current: frozenset[str], context: MigrationContext) -> Plan:
        """Plan the migration and do what comes before its first revision."""
        self._task = tolerating(self._task, current)
        plan = self._make_plan(self._task, current)
        if self._job_plan:
            verify_start(self._job_plan, self._task, plan)
        assert context.connection is not None
        self._schema = context.connection.scalar(text("SELECT pg_catalog.current_schema()"))
        self._record.close_abandoned()
        if self._task.role:
            ensure_role(self._session, self._task.role)
            grant(self._session, self._task.role.name, self._schema, self._task.chain.version_table)
        if not plan.revisions:
            return plan
        count = f"{len(plan.revisions)} of {len(self._task.chain.revisions)} revisions"
        step = "are pending" if plan.direction == "upgrade" else "will be downgraded"
        report(f"Database is at {format_revisions(plan.current)}; {count} {step}")
        was_interrupted = self._record.was_interrupted()
        self._record.open(plan, rollback_of(plan, self._task.chain.version_table, self._task.database))
        invalid = invalid_indexes(self._session, self._schema)
        if plan.direction == "upgrade":
            self._repair(plan, invalid, was_interrupted)
        else:
            self._invalid = invalid  # a downgrade may drop them
        return plan

    def _repair(self, plan: Plan, invalid: tuple[Index, ...], was_interrupted: bool) -> None:
        """Drop the indexes that an interrupted attempt left: a pending revision is about to create them.

        They are INVALID; those of the next revision may be complete, too, because its version is recorded after them.

        :raises FatalError: If there are others that no pending revision drops or rebuilds.
        """
        built = [name for revision in plan.revisions for name in revision.indexes.get("built", [])]
        repaired = [name for revision in plan.revisions for name in revision.indexes.get("repaired", [])]
        if blocking := [index for index in invalid if not index.is_among([*built, *repaired], self._schema)]:
            raise FatalError(f"{describe_indexes(blocking)} Then retry. No changes were made.")
        leftovers = [index for index in invalid if index.is_among(built, self._schema)]
        first, task = plan.revisions[0], self._task
        complete = named_indexes(self._session, self._schema, first.indexes.get("built", []))
        if was_interrupted or first.id in task.retried:
            leftovers += [index for index in complete if index.name not in task.foreign]
        else:
            task.foreign.update(index.name for index in complete)
        self._drop(dict.fromkeys(leftovers))

    def _drop(self, indexes: Iterable[Index]) -> None:
        for index in indexes:
            report(f"Dropping index {index.name}, which an interrupted attempt left")
            self._session.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}"))

    def _is_recorded(self) -> bool:
        """Return whether the version table says that the running revision was committed, and record it if so."""
        assert self._running is not None and self._plan is not None
        running, self._running = self._running, None  # its transaction has ended: an error here says nothing about it
        revision, is_upgrade = running[0].id, self._plan.direction == "upgrade"
        assert self._table is not None
        is_recorded = self._record.add_committed(revision, in_text(self._table), is_upgrade)
        if not is_recorded:
            is_recorded = (revision in self.rows()) == is_upgrade
            if is_recorded:
                self._record.add(revision)
        self._running = running
        return is_recorded

    def _finish(self, is_recorded: bool) -> None:
        """Report the revision whose transaction has ended.

        :raises FatalError: If it was not committed.
        """
        assert self._running is not None and self._plan is not None
        revision, started = self._running
        if not is_recorded:
            raise FatalError(
                f"{self._table} has no trace of the {self._plan.direction}: it was rolled back. env.py probably "
                "executes a statement before context.configure(), which begins a transaction that nothing commits. "
                "Commit it there: connection.commit()"
            )
        SPANS.end()
        self._running = None
        self._done += 1
        seconds = time.monotonic() - started
        number = self._plan.numbers[self._done - 1]
        report(f"{number}/{self._plan.total}  {revision.id}  {revision.title}  {seconds:.2f}s")
