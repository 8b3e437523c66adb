"""Modes `wait` and `status`, which change nothing."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from runner_chain import find_pending, verify_heads, verify_image
from runner_errors import FatalError
from runner_output import format_revisions, report
from runner_plan import Plan, Task, plan_upgrade
from runner_session import connect, is_encryption_required, reject_unencrypted
from runner_window import tolerating

PENDING = 3
"""Exit code: revisions are pending."""
PROBLEM = 1
"""Exit code: manual action is required, for example for an unknown revision."""


def wait(task: Task) -> None:
    """Wait until no revision is pending."""
    if is_encryption_required():
        with connect(task.url) as session:
            reject_unencrypted(session)
    reported = None
    while (plan := plan_tolerating(task)).revisions:
        current, target = format_revisions(plan.current), format_revisions(plan.target)
        if time.monotonic() >= task.deadline:
            raise FatalError(f"timed out: the database is at {current}, expected {target}")
        if plan.current != reported:
            report(f"Waiting for {target}: database is at {current}")
            reported = plan.current
        time.sleep(1)
    report(plan.summary)


def plan_tolerating(task: Task) -> Plan:
    """Plan the upgrade of the database as it is now."""
    current = task.database.current()
    return plan_upgrade(tolerating(task, current), current)


def status(task: Task) -> int:
    """Print one line of JSON as the only output on stdout.

    `current`: rows of the version table; `heads`: heads of the chain; `pending`: pending revisions, base first, or null
    if unknown; `imageHeads`: heads of the image; `matchesImage`: whether the image has the reviewed files; `problem`:
    the error that requires manual action, or null.

    :returns: The exit code: 0, `PENDING`, or `PROBLEM`.
    """
    result = read_status(task)
    print(json.dumps(result), file=sys.__stdout__, flush=True)
    if result["problem"]:
        return PROBLEM
    return PENDING if result["pending"] else 0


def read_status(task: Task) -> dict[str, Any]:
    """Return the fields that `status` prints."""
    database, chain = task.database, task.chain
    current = database.current()
    result: dict[str, Any] = {
        "current": sorted(current),
        "heads": sorted(chain.heads),
        "pending": None,
        "imageHeads": sorted(database.heads()),
        "matchesImage": False,
        "problem": None,
    }
    try:
        verify_image(database, chain)
        verify_heads(database, chain)
        result["matchesImage"] = True
        tolerant = tolerating(task, current).chain
        result["pending"] = [revision.id for revision in find_pending(database, tolerant, current)]
    except FatalError as error:
        result["problem"] = str(error)
    return result
