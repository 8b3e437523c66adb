"""The advisory lock that serializes migrations of a database, and the session that can hold it.

A connection pooler in transaction mode assigns each transaction to any free server process. A session's advisory lock
then stays in a process that others use, and its settings are lost: migrations would run concurrently, without timeouts.
"""

from __future__ import annotations

import os
import re
import time

from runner_errors import FatalError
from runner_output import DIRECT_URL_ADVICE, report
from runner_session import connect, url_variable
from runner_url import DatabaseUrl
from sqlalchemy import text
from sqlalchemy.engine import Connection

KEY = int.from_bytes(b"alembic!", "big")
ACQUIRE = f"SELECT pg_catalog.pg_try_advisory_lock({KEY})"
HELD = f"""
    FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_database d ON d.oid = l.database
    WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.classid = {KEY >> 32}::oid AND l.objid = {KEY & 0xFFFFFFFF}::oid"""
HELD_BY = f"SELECT EXISTS (SELECT {HELD} AND l.pid = :pid)"
HOLDER = f"""
    SELECT concat_ws(' ', 'pid', a.pid, '(' || nullif(a.application_name, '') || ')', 'from ' || host(a.client_addr),
        'since ' || to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ'))
    FROM pg_catalog.pg_stat_activity a WHERE a.pid IN (SELECT l.pid {HELD})"""
SERVER_PROCESS = "SELECT pg_catalog.pg_backend_pid()"
TIMEOUTS = "SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN ('lock_timeout', 'statement_timeout')"


def acquire_lock(session: Connection, deadline: float) -> None:
    """Acquire the lock, which the end of the session releases.

    It polls, because a blocked statement holds a snapshot that CREATE INDEX CONCURRENTLY would wait for.

    :raises FatalError: At the deadline, with the holder of the lock.
    """
    reported = ""
    while not session.scalar(text(ACQUIRE)):
        # PostgreSQL hides all but the pid from roles that are not a member of the holder's role.
        holder = session.scalar(text(HOLDER)) or "a session that just ended"
        if time.monotonic() >= deadline:
            raise FatalError(
                f"another migration holds the advisory lock: {holder}. Wait for it to finish, or terminate it, and "
                "retry."
            )
        if holder != reported:
            report(f"Waiting for another migration: {holder}")
            reported = holder
        time.sleep(0.5)


def is_same_database(holder: Connection, session: Connection) -> bool:
    """Return whether a session is in the database of the server where another one holds the lock.

    Names, addresses, and the server's identifier can be the same on a copy, but not a lock that is held now.
    """
    pid = holder.scalar(text(SERVER_PROCESS))
    return bool(session.scalar(text(HELD_BY), {"pid": pid}))


def reject_pooler(session: Connection, url: DatabaseUrl) -> None:
    """Detect a connection pooler, before a lock could be left behind in one of its server processes.

    :raises FatalError: With the evidence, and the variable for a direct URL.
    """
    evidence = find_lost_setting(session) or find_shared_process(session, url)
    if evidence:
        raise FatalError(f"{url_variable()} points to a connection pooler: {evidence}. {DIRECT_URL_ADVICE}")


def find_lost_setting(session: Connection) -> str | None:
    """Describe a timeout that the server did not receive: poolers reject or drop the `options` of a session."""
    expected = dict(re.findall(r"-c (\w+)=(\d+)", os.environ["PGOPTIONS"]))  # the last of several wins, as in libpq
    for name, actual in session.execute(text(TIMEOUTS)):
        if actual != expected[name]:
            return f"{name} is {actual}ms, expected {expected[name]}ms"
    return None


def find_shared_process(session: Connection, url: DatabaseUrl) -> str | None:
    """Describe a server process that serves two open sessions, or a session whose process changes."""
    with connect(url) as second_session:
        first_pids: set[int] = set()
        second_pids: set[int] = set()
        for pids, queried in [(first_pids, session), (second_pids, second_session)] * 2:
            pids.add(queried.scalar(text(SERVER_PROCESS)))
    if first_pids & second_pids:
        return "two sessions share a server process"
    if len(first_pids | second_pids) > 2:
        return "a session's server process changes between transactions"
    return None
