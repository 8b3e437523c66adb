"""Takes the steps of an upgrade or a downgrade, one migration at a time in the whole database."""

from __future__ import annotations

import time
from typing import Callable

from runner_chain import Revision
from runner_failures import Refusal, RevisionFailed
from runner_lock import take_lock, verify_lock
from runner_pooler import refuse_pooler
from runner_record import RunRecord, recorded
from runner_session import connect
from runner_task import Steps, Task
from runner_words import names, say
from sqlalchemy.engine import Connection


def migrate(task: Task, find: Callable[[Task], Steps]) -> None:
    """Takes the steps that `find` finds under the lock, a line each.

    :raises Refusal: if a person has to decide, whether before the first step or after the last.
    :raises RevisionFailed: with the revision that failed; those before it stay.
    """
    with connect(task.url) as session:
        refuse_pooler(session, task.url)
        take_lock(session, task.deadline)
        record = RunRecord(session)
        record.close_abandoned()
        steps = find(task)
        if not steps.revisions:
            say(f"{steps.standing}: nothing to migrate")
            return
        what = "are pending" if steps.direction == "upgrade" else "will be undone"
        count = f"{len(steps.revisions)} of {len(task.chain.revisions)} revisions {what}"
        say(f"Database is at {names(steps.current)}; {count}")
        with recorded(task, steps, record):
            take(task, steps, session, record)
            standing = verify(task, find).standing
        say(standing)


def take(task: Task, steps: Steps, session: Connection, record: RunRecord) -> None:
    """Takes the steps; `session` holds the lock."""
    for number, revision in enumerate(steps.revisions, steps.first):
        verify_lock(session)
        started = time.monotonic()
        step(task, steps, revision)
        took = time.monotonic() - started
        say(f"{number}/{steps.total}  {revision.id}  {revision.title}  {took:.2f} s")
        record.add(revision.id)


def step(task: Task, steps: Steps, revision: Revision) -> None:
    """Applies or undoes one revision."""
    try:
        if steps.direction == "upgrade":
            task.database.upgrade(revision.id)
        else:
            task.database.downgrade(revision.id)
    except (Exception, SystemExit) as error:
        raise RevisionFailed(f"{revision.id} ({revision.title})", error) from error


def verify(task: Task, find: Callable[[Task], Steps]) -> Steps:
    """Looks whether the steps led to where they should."""
    left = find(task)
    if left.revisions:
        place = f"at {names(left.current)} after the {left.direction}, not at {names(left.target)}"
        raise Refusal(f"the database is {place}.")
    return left
