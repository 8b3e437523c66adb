"""Brings the database to the chain's head, or waits until another has."""

from __future__ import annotations

import time

from runner_chain import Chain
from runner_database import Database, compare
from runner_failures import Refusal, RevisionFailed
from runner_session import advisory_lock
from runner_words import names, say
from sqlalchemy import text
from sqlalchemy.engine import URL


def migrate(database: Database, chain: Chain, url: URL, deadline: float) -> None:
    """Applies what is pending, a line each."""
    with advisory_lock(url, deadline) as lock:
        current, pending = compare(database, chain)
        if not pending:
            say(f"{standing(current, chain)}: nothing to migrate")
            return
        say(f"Database is at {names(current)}; {len(pending)} of {len(chain.revisions)} revisions are pending")
        for revision in pending:
            lock.scalar(text("SELECT 1"))  # the lock ends with its session
            number = chain.revisions.index(revision) + 1
            started = time.monotonic()
            try:
                database.upgrade(revision.id)
            except (Exception, SystemExit) as error:
                raise RevisionFailed(revision, error) from error
            took = time.monotonic() - started
            say(f"{number}/{len(chain.revisions)}  {revision.id}  {revision.title}  {took:.2f} s")
        current, pending = compare(database, chain)
        if pending:
            raise Refusal(f"the database is at {names(current)} after the upgrade, not at {names(chain.heads)}.")
        say(standing(current, chain))


def standing(current: frozenset[str], chain: Chain) -> str:
    """Where a database is that lacks nothing of the chain."""
    if current and current <= chain.tolerated:
        return f"Database is ahead, at {names(current)}, which this release tolerates"
    return f"Database is at head {names(current)}"


def wait(database: Database, chain: Chain, _url: URL, deadline: float) -> None:
    """Waits until the database is at the head."""
    announced = None
    while (found := compare(database, chain))[1]:
        current = found[0]
        if time.monotonic() >= deadline:
            raise Refusal(f"the database is still at {names(current)}, not at {names(chain.heads)}.")
        if current != announced:
            say(f"Database is at {names(current)}: waiting for {names(chain.heads)}")
            announced = current
        time.sleep(1)
    say(standing(found[0], chain))
