"""The lock that lets one migration run at a time in a database."""

from __future__ import annotations

import time

from runner_failures import DIRECT_URL_ADVICE, Refusal
from runner_words import say
from sqlalchemy import text
from sqlalchemy.engine import Connection

KEY = int.from_bytes(b"unity-db", "big")
TAKE = f"SELECT pg_try_advisory_lock({KEY})"
HELD = f"""
    FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()
    AND l.objsubid = 1 AND (l.classid::bigint << 32) + l.objid::bigint = {KEY}"""
HELD_HERE = f"SELECT EXISTS (SELECT {HELD} AND l.pid = pg_backend_pid())"
HOLDER = f"""
    SELECT concat_ws(' ', 'pid', a.pid, '(' || nullif(a.application_name, '') || ')', 'from ' || host(a.client_addr),
        'since ' || to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ'))
    FROM pg_stat_activity a WHERE a.pid IN (SELECT l.pid {HELD})"""


def take_lock(session: Connection, deadline: float) -> None:
    """Takes the lock, which the session's end frees, whatever happens to this process.

    It polls: a statement that waits holds a snapshot, which CREATE INDEX CONCURRENTLY would wait for.

    :raises Refusal: at the deadline, naming who holds it.
    """
    announced = ""
    while not session.scalar(text(TAKE)):
        # PostgreSQL hides all but the pid from roles that are no member of the session's.
        holder = session.scalar(text(HOLDER)) or "a session that has just ended"
        if time.monotonic() >= deadline:
            raise Refusal(f"another migration holds the lock: {holder}. Wait for it, or end it, and try again.")
        if holder != announced:
            say(f"Waiting for another migration: {holder}")
            announced = holder
        time.sleep(0.5)


def verify_lock(session: Connection) -> None:
    """Looks whether the session is there and holds the lock.

    :raises Refusal: if the lock is gone and the session is not, as with a pooler that passed for PostgreSQL.
    """
    if not session.scalar(text(HELD_HERE)):
        raise Refusal(f"the session no longer has the lock that keeps migrations apart. {DIRECT_URL_ADVICE}")
