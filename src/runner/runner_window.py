"""The rollback window: the earlier releases whose code keeps working on the database's schema, by the run record.

A gate that meets a revision that its release does not know consults it: a pod of the previous release starts again
after a failed rollout, and one whose code may fail on the schema is held with the reason.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from runner_errors import FatalError
from runner_output import format_revisions, report
from runner_plan import Task
from runner_record import TABLE
from runner_session import connect
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

WINDOW = (Path(__file__).parent / "rollback-window.sql").read_text(encoding="utf-8")
IS_PLAIN_TABLE = (Path(__file__).parent / "plain-table.sql").read_text(encoding="utf-8")
IS_READABLE = f"""
    SELECT ({IS_PLAIN_TABLE}) AND has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(relnamespace, 'USAGE')
    FROM pg_catalog.pg_class c WHERE c.oid = (SELECT r.oid FROM pg_catalog.pg_class r
        JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace WHERE n.nspname || '.' || r.relname = '{TABLE}')"""


@dataclass(frozen=True)
class Window:
    """The rollback window at a revision."""

    # The release that applied the revision, and when.
    image: str
    started_at: str
    # The heads whose code keeps working.
    heads: frozenset[str]
    # The revision that ends the window, and why; None if the record says no more.
    end: tuple[str, str] | None


def tolerating(task: Task, current: frozenset[str]) -> Task:
    """Return the task with a chain that tolerates the database's revision, if the image's code keeps working on it.

    :param current: The rows of the version table.
    :raises FatalError: If the record names the reason why it may not.
    """
    chain = task.chain
    unknown = current - {revision.id for revision in chain.revisions} - chain.tolerated
    if len(current) != 1 or not unknown:
        return task
    (revision,) = unknown
    window = read_window(task, revision)
    if window is None:
        return task
    heads = format_revisions(chain.heads)
    if len(chain.heads) == 1 and chain.heads <= window.heads:
        works = f"According to the run record, this release (head {heads}) still works."
        report(f"Database is at {revision}, applied by {window.image}. {works}")
        return replace(task, chain=replace(chain, tolerated=chain.tolerated | {revision}))
    reason = "The run record does not say whether the code of this image keeps working."
    if window.end:
        reason = f"This release (head {heads}) may fail because of revision {window.end[0]}: {window.end[1]}."
    raise FatalError(
        f"the database is at {revision}, which this image does not contain: {window.image} applied it at "
        f"{window.started_at}. {reason} Deploy {window.image} or a later release, or restore the database. If this "
        f"release supports the schema, run: pulumi config set toleratedRevisions {revision} && pulumi up"
    )


def read_window(task: Task, revision: str) -> Window | None:
    """Return the rollback window of a database at a revision; None if no record can be read, or none names it."""
    with connect(task.url) as session:
        try:
            if not session.scalar(text(IS_READABLE)):
                return None
            table = json.dumps(asdict(task.chain.version_table))
            found = session.scalar(text(WINDOW), {"revision": revision, "table": table})
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            report(f"Can't read the run record: {str(error.orig).strip().splitlines()[0]}")
            return None
    if found is None:
        return None
    content = json.loads(found) if isinstance(found, str) else found  # asyncpg's is text
    end = content["end"]
    return Window(
        content["image"] or "an unnamed image",
        content["startedAt"],
        frozenset(content["heads"]),
        end and (end["revision"], end["blocker"]),
    )
