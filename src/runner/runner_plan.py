"""Plans: the revisions to apply or downgrade, computed from the chain and the database's revision."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

from runner_chain import Chain, Revision, find_pending
from runner_config import AlembicCall
from runner_database import Database
from runner_errors import FatalError
from runner_output import format_revisions
from runner_roles import ApplicationRole
from runner_url import DatabaseUrl

BASE = "base"
"""Alembic's name for the state before the first revision."""
HASH_VERSION = 4
"""Version of what a plan's hash covers."""


@dataclass(frozen=True)
class Task:
    """The inputs of a run."""

    database: Database
    chain: Chain
    url: DatabaseUrl
    # In seconds of `time.monotonic`; nothing starts after it.
    deadline: float
    # A revision, `base` for a downgrade, or None for the chain's heads.
    target: str | None
    # The application's role, if it is not the one that migrates.
    role: ApplicationRole | None = None
    # Revisions that failed in this process and are retried.
    retried: set[str] = field(default_factory=set)
    # Names of indexes that a revision creates, but that existed before this process ran it.
    foreign: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Plan:
    """The steps of a migration."""

    # `upgrade` or `downgrade`.
    direction: str
    # The rows of the version table.
    current: frozenset[str]
    # The rows after the migration; none is the state before the first revision.
    target: frozenset[str]
    # To apply or downgrade, in this order.
    revisions: tuple[Revision, ...]
    # The number of each revision in the log, and the total.
    numbers: Sequence[int]
    total: int
    # The log line for a plan without revisions.
    summary: str
    # The hashes of all reviewed files, by name: Alembic loads those of all revisions.
    files: dict[str, str] = field(default_factory=dict)
    # How Alembic is called.
    alembic: AlembicCall = field(default_factory=AlembicCall)


def plan_upgrade(task: Task, current: frozenset[str]) -> Plan:
    """Return the pending revisions up to the target, base first.

    :param current: The rows of the version table.
    :raises FatalError: If the target or the database's revision is not in the chain.
    """
    chain = task.chain
    pending = find_pending(task.database, chain, current)
    if task.target is None:
        target = chain.heads
    else:
        target = frozenset([chain.find(task.target).id])
        lineage = task.database.lineage(task.target)
        pending = [revision for revision in pending if revision.id in lineage]
    ids = {revision.id for revision in pending}
    numbers = [number for number, revision in enumerate(chain.revisions, 1) if revision.id in ids]
    summary = summarize(current, target, chain)
    count, common = len(chain.revisions), (chain.reviewed, chain.alembic)
    return Plan("upgrade", current, target, tuple(pending), numbers, count, summary, *common)


def plan_downgrade(task: Task, current: frozenset[str]) -> Plan:
    """Return the applied revisions that are not the target or its ancestors, newest first.

    :param current: The rows of the version table.
    :raises FatalError: If the database is not at a descendant of the target, or a revision is irreversible.
    """
    chain, database = task.chain, task.database
    find_pending(database, chain, current)  # raises if the rows are not in the chain
    if current & chain.tolerated:
        raise FatalError(
            f"the database is at {format_revisions(current)}, which this image does not contain. To downgrade, deploy "
            "an image that contains it."
        )
    target = frozenset() if task.target == BASE else frozenset([chain.find(str(task.target)).id])
    lineages = {row: database.lineage(row) for row in current}
    strays = [row for row, lineage in lineages.items() if not target <= lineage]
    if strays or (target and not current):
        raise FatalError(
            f"the database is at {format_revisions(strays)}, which is not a descendant of {format_revisions(target)}"
        )
    kept = frozenset().union(*map(database.lineage, target))
    applied = frozenset().union(*lineages.values())
    downgraded = tuple(revision for revision in reversed(chain.revisions) if revision.id in applied - kept)
    verify_reversible(downgraded)
    count, summary = len(downgraded), f"Database is at {format_revisions(current)}"
    common = (chain.reviewed, chain.alembic)
    return Plan("downgrade", current, target, downgraded, range(1, count + 1), count, summary, *common)


def plan_either(task: Task, current: frozenset[str]) -> Plan:
    """Return the upgrade to the target or, if nothing is pending, the downgrade."""
    plan = plan_upgrade(task, current)
    return plan if plan.revisions or task.target is None else plan_downgrade(task, current)


def verify_reversible(revisions: Iterable[Revision]) -> None:
    """Check all revisions before the first step, so that no downgrade stops halfway.

    :raises FatalError: With each irreversible revision of the lockfile.
    """
    if irreversible := [f"{each.id} ({each.reversibleReason})" for each in revisions if each.reversible is False]:
        raise FatalError(f"irreversible revisions: {', '.join(irreversible)}; no changes were made")


def summarize(current: frozenset[str], target: frozenset[str], chain: Chain) -> str:
    """Return the log line for a database without pending revisions."""
    if current and current <= chain.tolerated:
        return f"Database is ahead, at {format_revisions(current)}, which this release tolerates"
    if target == chain.heads:
        return f"Database is up to date (head {format_revisions(target)})"
    if current == target:
        return f"Database is up to date (target {format_revisions(target)})"
    return f"Database is at {format_revisions(current)}, beyond target {format_revisions(target)}"


def plan_hash(image: str, plan: Plan) -> str:
    """Return the identity of what a migration executes, equal to that of `planHash` in TypeScript.

    :param image: The image's reference.
    """
    revisions = [
        {"id": each.id, "sql": each.sql[plan.direction], "files": sorted(each.files.items())} for each in plan.revisions
    ]
    content = {
        "version": HASH_VERSION,
        "image": image,
        "direction": plan.direction,
        "from": sorted(plan.current),
        "files": sorted(plan.files.items()),
        "revisions": revisions,
    }
    if plan.alembic != AlembicCall():
        content["alembic"] = asdict(plan.alembic)
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return f"v{HASH_VERSION}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
