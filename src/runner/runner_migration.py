"""Modes `upgrade`, `downgrade`, and `reach`: run a plan, one migration at a time per database."""

from __future__ import annotations

import time
from typing import Callable

from runner_errors import FatalError, RevisionFailed
from runner_grants import grant
from runner_indexes import Index, describe_indexes, invalid_indexes, new_invalid_indexes
from runner_job_plan import read_job_plan, verify_database, verify_start
from runner_lock import acquire_lock, reject_pooler, verify_lock
from runner_output import format_revisions, report
from runner_plan import Plan, Task, plan_downgrade, plan_either, plan_upgrade
from runner_record import RunRecord, recorded
from runner_roles import ensure_role
from runner_session import connect, reject_unencrypted
from sqlalchemy.engine import Connection


def upgrade(task: Task) -> None:
    """Apply the pending revisions up to the target."""
    migrate(task, plan_upgrade)


def downgrade(task: Task) -> None:
    """Undo the revisions beyond the target, newest first."""
    migrate(task, plan_downgrade)


def reach(task: Task) -> None:
    """Upgrade or downgrade to the target."""
    migrate(task, plan_either)


MakePlan = Callable[[Task, frozenset[str]], Plan]


def migrate(task: Task, make_plan: MakePlan) -> None:
    """Run the plan that `make_plan` returns under the lock, with a log line per revision.

    :raises FatalError: Before the first revision or after the last, if only a manual action helps.
    :raises RevisionFailed: If a revision fails. The ones before it stay.
    """
    job_plan = read_job_plan()
    with connect(task.url) as session:
        reject_unencrypted(session)
        reject_pooler(session, task.url)
        acquire_lock(session, task.deadline)
        if job_plan:
            verify_database(job_plan, session)
        plan = make_plan(task, task.database.current())
        if job_plan:
            verify_start(job_plan, task, plan)
        record = RunRecord(session)
        record.close_abandoned()
        if task.role:
            ensure_role(session, task.role)
            grant(session, task.role.name, task.database.schema)
        if not plan.revisions:
            report(plan.summary)
            return
        count = f"{len(plan.revisions)} of {len(task.chain.revisions)} revisions"
        step = "are pending" if plan.direction == "upgrade" else "will be downgraded"
        report(f"Database is at {format_revisions(plan.current)}; {count} {step}")
        with recorded(task, plan, record):
            invalid = invalid_indexes(session, task.database.schema)
            if invalid and plan.direction == "upgrade":  # a downgrade may drop them
                raise FatalError(f"{describe_indexes(invalid)} Then retry. No changes were made.")
            run_steps(task, plan, session, record, invalid)
            summary = verify_result(task, make_plan).summary
            if leftovers := new_invalid_indexes(session, task.database.schema, invalid):
                raise FatalError(f"all revisions succeeded, but: {describe_indexes(leftovers)}")
            if task.role:
                grant(session, task.role.name, task.database.schema)
        report(summary)


def run_steps(task: Task, plan: Plan, session: Connection, record: RunRecord, invalid: tuple[Index, ...]) -> None:
    """Apply or downgrade each revision.

    :param session: The session that holds the lock.
    :param invalid: The INVALID indexes from before the first revision.
    """
    run = task.database.upgrade if plan.direction == "upgrade" else task.database.downgrade
    for number, revision in zip(plan.numbers, plan.revisions):
        verify_lock(session)
        started = time.monotonic()
        try:
            run(revision.id)
        except (Exception, SystemExit) as error:
            leftovers = describe_indexes(new_invalid_indexes(session, task.database.schema, invalid))
            raise RevisionFailed(f"{revision.id} ({revision.title})", error, leftovers) from error
        seconds = time.monotonic() - started
        report(f"{number}/{plan.total}  {revision.id}  {revision.title}  {seconds:.2f}s")
        record.add(revision.id)


def verify_result(task: Task, make_plan: MakePlan) -> Plan:
    """Plan again, and check that nothing is left to do."""
    plan = make_plan(task, task.database.current())
    if plan.revisions:
        raise FatalError(
            f"the database is at {format_revisions(plan.current)} after the {plan.direction}, expected "
            f"{format_revisions(plan.target)}"
        )
    return plan
