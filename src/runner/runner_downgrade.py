"""Modes `downgrade` and `reach`: undo what lies between the database and an earlier revision."""

from __future__ import annotations

from collections.abc import Iterable

from runner_chain import Revision
from runner_database import compare
from runner_failures import Refusal
from runner_migration import migrate
from runner_task import Steps, Task
from runner_upgrade import pending_steps
from runner_words import names

BASE = "base"
"""Alembic's word for where a database is before the first revision."""


def downgrade(task: Task) -> None:
    """Undoes what was applied since the target, newest first."""
    migrate(task, undone_steps)


def reach(task: Task) -> None:
    """Applies what the target needs, or undoes what was applied since it, whichever it takes."""
    migrate(task, steps_to_target)


def steps_to_target(task: Task) -> Steps:
    """What is pending on the way to the target; if nothing is, what the database holds beyond it."""
    steps = pending_steps(task)
    return steps if steps.revisions or task.target is None else undone_steps(task)


def undone_steps(task: Task) -> Steps:
    """What the database holds beyond the target and all that the target builds on.

    :raises Refusal: if the database does not build on the target, or a revision can't be undone.
    """
    chain, database = task.chain, task.database
    current, _ = compare(database, chain)
    if current & chain.tolerated:
        raise Refusal(f"the database is at {names(current)}, which only an image that has it can undo.")
    target = frozenset() if task.target == BASE else frozenset([chain.find(str(task.target)).id])
    lineages = {row: database.lineage(row) for row in current}
    if strays := [row for row, lineage in lineages.items() if not target <= lineage]:
        raise Refusal(f"the database is at {names(strays)}, which does not build on {names(target)}.")
    if target and not current:
        raise Refusal(f"the database is at no revision, which does not build on {names(target)}.")
    kept = frozenset().union(*map(database.lineage, target))
    applied = frozenset().union(*lineages.values())
    undone = tuple(revision for revision in reversed(chain.revisions) if revision.id in applied - kept)
    verify_reversible(undone)
    count, standing = len(undone), f"Database is at {names(current)}"
    return Steps("downgrade", current, target, undone, range(1, count + 1), count, standing)


def verify_reversible(revisions: Iterable[Revision]) -> None:
    """Looks before the first step, so that no downgrade stops half way.

    :raises Refusal: naming each revision whose downgrade undoes nothing, by the reviewed lock.
    """
    if irreversible := [f"{each.id} ({each.reversibleReason})" for each in revisions if each.reversible is False]:
        raise Refusal(f"the lock says what can't be undone: {', '.join(irreversible)}. Nothing was undone.")
