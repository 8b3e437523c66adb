"""The Job's plan, and whether the database is still the one that it was made for.

A Deployment's pods have none, and neither has a Job that was not created from a plan of its database.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from runner_errors import FatalError
from runner_output import format_revisions
from runner_plan import Plan, Task, plan_downgrade, plan_hash, plan_upgrade
from runner_session import url_variable
from sqlalchemy import text
from sqlalchemy.engine import Connection

VARIABLE = "MIGRATION_PLAN"
VERSION = 1
IDENTITY = (Path(__file__).parent / "database-identity.sql").read_text(encoding="utf-8")
PLAN_AGAIN = "No changes were made. Run: pulumi up, which makes a new plan."


@dataclass(frozen=True)
class DatabaseIdentity:
    """The identity of a database."""

    name: str
    oid: str
    # The server's system identifier, or None if the role may not read it.
    system: str | None

    def is_same(self, other: DatabaseIdentity) -> bool:
        """Compare with what another role has read, which may know less."""
        is_same_server = self.system == other.system or None in (self.system, other.system)
        return is_same_server and (self.name, self.oid) == (other.name, other.oid)

    def __str__(self) -> str:
        return f"{self.name} (oid {self.oid}, server {self.system or 'unknown'})"


@dataclass(frozen=True)
class JobPlan:
    """The plan that the Job was created with."""

    # None if the database's revision was unknown.
    hash: str | None
    direction: str
    # The rows of the version table at the start, or None if they were unknown.
    start: frozenset[str] | None
    # None if no database could be queried: then the plan allows to apply any revisions of the chain.
    database: DatabaseIdentity | None


def read_job_plan() -> JobPlan | None:
    """Return what the environment says, or None if it says nothing.

    :raises FatalError: If it is in another format.
    """
    value = os.environ.get(VARIABLE, "")
    if not value:
        return None
    try:
        content = json.loads(value)
        if content["version"] != VERSION:
            raise ValueError(f"version {content['version']}, expected {VERSION}")
        start, database = content["from"], content["database"]
        return JobPlan(
            content["hash"],
            content["direction"],
            None if start is None else frozenset(start),
            None if database is None else DatabaseIdentity(**database),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise FatalError(f"invalid {VARIABLE}: {error!r}. {PLAN_AGAIN}") from error


def verify_database(job_plan: JobPlan, session: Connection) -> None:
    """Check that the session is in the database that the plan was made for.

    :raises FatalError: If it is in another one.
    """
    if job_plan.database is None:
        return
    identity = session.scalar(text(IDENTITY))
    found = DatabaseIdentity(**(json.loads(identity) if isinstance(identity, str) else identity))  # asyncpg's is text
    if not found.is_same(job_plan.database):
        raise FatalError(
            f"{url_variable()} leads to database {found}, but the plan was made for database {job_plan.database}: the "
            f"URL was changed, or the database was created again. {PLAN_AGAIN} If it reads the other database again, "
            "stop the pods that use that one first."
        )


def verify_start(job_plan: JobPlan, task: Task, plan: Plan) -> None:
    """Check that the database is at the start of the plan of the Job, or after one of its revisions.

    :param plan: The plan from where the database is now.
    :raises FatalError: If the plan did not foresee the database's revision, or if it is a plan of other content.
    """
    if job_plan.database is None and plan.revisions and plan.direction != "upgrade":
        raise FatalError(
            f"the database is at {format_revisions(plan.current)}, beyond its target, but its revision was unknown to "
            "the plan, which therefore contains no downgrade. No changes were made. Start the pods that can query the "
            "database, and run: pulumi up"
        )
    if job_plan.start is None:
        return
    make_plan = plan_upgrade if job_plan.direction == "upgrade" else plan_downgrade
    planned = make_plan(task, job_plan.start)
    found = plan_hash(os.environ.get("MIGRATION_IMAGE", ""), planned)
    if found != job_plan.hash:
        raise FatalError(f"the Job was created for plan {job_plan.hash}, but would run plan {found}. {PLAN_AGAIN}")
    if job_plan.database is not None and not is_foreseen(task, planned, plan.current):
        raise FatalError(
            f"the database is at {format_revisions(plan.current)}, but plan {job_plan.hash} leads from "
            f"{format_revisions(planned.current)} to {format_revisions(planned.target)}: the database was restored or "
            f"migrated since the plan was made. {PLAN_AGAIN}"
        )


def is_foreseen(task: Task, planned: Plan, rows: frozenset[str]) -> bool:
    """Return whether a database is at the start of a plan, or after one of its revisions.

    :param rows: The rows of the version table.
    """
    done = applied(task, planned.current) ^ applied(task, rows)
    return done == {revision.id for revision in planned.revisions[: len(done)]}


def applied(task: Task, rows: frozenset[str]) -> frozenset[str]:
    """Return the revisions with their ancestors, or tolerated ones, whose ancestors the image does not know."""
    if rows <= task.chain.tolerated:
        return rows
    return frozenset().union(*map(task.database.lineage, rows))
