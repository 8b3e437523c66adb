"""Mode `upgrade`: what is pending; and mode `wait`: until nothing is."""

from __future__ import annotations

import time

from runner_chain import Chain
from runner_database import compare
from runner_failures import Refusal
from runner_migration import migrate
from runner_session import connect
from runner_task import Steps, Task
from runner_tls import is_encryption_demanded, refuse_plain_session
from runner_words import names, say


def upgrade(task: Task) -> None:
    """Applies what is pending."""
    migrate(task, pending_steps)


def wait(task: Task) -> None:
    """Waits until nothing is pending, and changes nothing."""
    if is_encryption_demanded():
        with connect(task.url) as session:
            refuse_plain_session(session)
    announced = None
    while (steps := pending_steps(task)).revisions:
        if time.monotonic() >= task.deadline:
            raise Refusal(f"the database is still at {names(steps.current)}, not at {names(steps.target)}.")
        if steps.current != announced:
            say(f"Database is at {names(steps.current)}: waiting for {names(steps.target)}")
            announced = steps.current
        time.sleep(1)
    say(steps.standing)


def pending_steps(task: Task) -> Steps:
    """What is pending on the way to the target, base first.

    :raises Refusal: if the chain lacks the target, or the database is not on the chain.
    """
    chain = task.chain
    current, pending = compare(task.database, chain)
    if task.target is None:
        target = chain.heads
    else:
        target = frozenset([chain.find(task.target).id])
        wanted = task.database.lineage(task.target)
        pending = [revision for revision in pending if revision.id in wanted]
    numbers = [chain.revisions.index(revision) + 1 for revision in pending]
    standing = describe_standing(current, target, chain)
    return Steps("upgrade", current, target, tuple(pending), numbers, len(chain.revisions), standing)


def describe_standing(current: frozenset[str], target: frozenset[str], chain: Chain) -> str:
    """Where a database is that lacks nothing of the target."""
    if current and current <= chain.tolerated:
        return f"Database is ahead, at {names(current)}, which this release tolerates"
    if current == chain.heads:
        return f"Database is at head {names(current)}"
    return f"Database is at {names(current)}" + ("" if current == target else f", which builds on {names(target)}")
