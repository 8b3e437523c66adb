"""Sessions of older releases: a revision that breaks their code waits until they are gone.

A session names its release by the end of its `application_name`: `@` and the revision that its code was made for, as in
`web@4f1c9a7d2b33`. PostgreSQL shows that name to every role.
"""

from __future__ import annotations

import time

from runner_chain import Revision
from runner_database import Database
from runner_errors import FatalError
from runner_output import format_revisions, report
from sqlalchemy import text
from sqlalchemy.engine import Connection

SESSIONS = """
    SELECT application_name, count(*) FROM pg_catalog.pg_stat_activity
    WHERE datname = pg_catalog.current_database() AND strpos(application_name, '@') > 0 GROUP BY 1 ORDER BY 1"""
POLL_SECONDS = 1
REPEAT_SECONDS = 30


def await_older_sessions(session: Connection, database: Database, revision: Revision, deadline: float) -> None:
    """Wait until no session is left of a release before the one that a revision follows.

    :param deadline: In seconds of `time.monotonic`.
    :raises FatalError: At the deadline, with the sessions.
    """
    followed = database.predecessors(revision.id)
    older = database.lineage(revision.id) - {revision.id} - followed
    reported: list[str] = []
    reported_at = 0.0
    while older:
        rows = session.execute(text(SESSIONS)).all()
        left = [f"{name} ({count})" for name, count in rows if name.rpartition("@")[2] in older]
        if not left:
            return
        sessions = f"sessions of releases before {format_revisions(followed)}: {', '.join(left)}"
        if time.monotonic() >= deadline:
            raise FatalError(
                f"revision {revision.id} breaks their code ({revision.rollbackBlocker}), but there are still "
                f"{sessions}. Stop what opened them, or deploy a later release of it, and retry."
            )
        if left != reported or time.monotonic() >= reported_at + REPEAT_SECONDS:
            report(f"Revision {revision.id} waits for {sessions}")
            reported, reported_at = left, time.monotonic()
        time.sleep(POLL_SECONDS)
