"""Takes the steps of an upgrade or a downgrade, one migration at a time in the whole database."""

from __future__ import annotations

import time
from typing import Callable

from runner_chain import Revision
from runner_failures import Refusal, RevisionFailed
from runner_grants import grant
from runner_indexes import Index, describe_indexes, invalid_indexes, left_behind
from runner_lock import take_lock, verify_lock
from runner_pooler import refuse_pooler
from runner_record import RunRecord, recorded
from runner_roles import ensure_role
from runner_session import connect
from runner_task import Steps, Task
from runner_tls import refuse_plain_session
from runner_words import names, say
from sqlalchemy.engine import Connection


def migrate(task: Task, find: Callable[[Task], Steps]) -> None:
    """Takes the steps that `find` finds under the lock, a line each.

    :raises Refusal: if a person has to decide, whether before the first step or after the last.
    :raises RevisionFailed: with the revision that failed; those before it stay.
    """
    with connect(task.url) as session:
        refuse_plain_session(session)
        refuse_pooler(session, task.url)
        take_lock(session, task.deadline)
        record = RunRecord(session)
        record.close_abandoned()
        steps = find(task)
        if task.role:
            ensure_role(session, task.role)
            grant(session, task.role.name)
        if not steps.revisions:
            say(f"{steps.standing}: nothing to migrate")
            return
        what = "are pending" if steps.direction == "upgrade" else "will be undone"
        count = f"{len(steps.revisions)} of {len(task.chain.revisions)} revisions {what}"
        say(f"Database is at {names(steps.current)}; {count}")
        with recorded(task, steps, record):
            before = invalid_indexes(session)
            if before and steps.direction == "upgrade":  # a downgrade may be what removes them
                raise Refusal(f"{describe_indexes(before)} Then try again: nothing was migrated.")
            take(task, steps, session, record, before)
            standing = verify(task, find).standing
            if left := left_behind(session, before):
                raise Refusal(f"the revisions went through, but: {describe_indexes(left)}")
            if task.role:
                grant(session, task.role.name)
        say(standing)


def take(task: Task, steps: Steps, session: Connection, record: RunRecord, before: tuple[Index, ...]) -> None:
    """Takes the steps; `session` holds the lock, and `before` are the INVALID indexes that were there."""
    for number, revision in zip(steps.numbers, steps.revisions):
        verify_lock(session)
        started = time.monotonic()
        try:
            step(task, steps.direction, revision)
        except (Exception, SystemExit) as error:
            left = describe_indexes(left_behind(session, before))
            raise RevisionFailed(f"{revision.id} ({revision.title})", error, left) from error
        took = time.monotonic() - started
        say(f"{number}/{steps.total}  {revision.id}  {revision.title}  {took:.2f} s")
        record.add(revision.id)


def step(task: Task, direction: str, revision: Revision) -> None:
    """Applies or undoes one revision."""
    if direction == "upgrade":
        task.database.upgrade(revision.id)
    else:
        task.database.downgrade(revision.id)


def verify(task: Task, find: Callable[[Task], Steps]) -> Steps:
    """Looks whether the steps led to where they should."""
    left = find(task)
    if left.revisions:
        place = f"at {names(left.current)} after the {left.direction}, not at {names(left.target)}"
        raise Refusal(f"the database is {place}.")
    return left
