"""The heartbeat of the session that holds the advisory lock, which is idle while revisions run.

It keeps load balancers from closing the session, and measures for how long revisions block other sessions.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Callable

from runner_dbapi import driver_session, query
from sqlalchemy.engine import Connection

INTERVAL_SECONDS = 0.5


class Heartbeat:
    """Queries a session from time to time. Its end is left to the proofs to find."""

    def __init__(self) -> None:
        # Time in which at least one other session waited for a lock of this process, by all samples so far.
        self.blocked_seconds = 0.0

    @contextmanager
    def beating(self, session: Connection, pids: Callable[[], Iterable[int]]) -> Iterator[None]:
        """Query the session in this block, from a thread.

        :param pids: Returns the server processes of this process's sessions, at least one.
        """
        scalar = query_from_thread(session)
        stop = threading.Event()

        def beat() -> None:
            before = time.monotonic()
            while not stop.wait(INTERVAL_SECONDS):
                is_blocking = scalar(is_blocking_others(pids()))
                now = time.monotonic()
                # A sample says nothing about the time in which the session itself was busy.
                self.blocked_seconds += min(now - before, 2 * INTERVAL_SECONDS) * bool(is_blocking)
                before = now

        def beat_while_connected() -> None:
            with suppress(Exception):
                beat()

        thread = threading.Thread(target=beat_while_connected, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(timeout=1)  # its query ends before the session does


def query_from_thread(session: Connection) -> Callable[[str], Any]:
    """Return a function that queries a session of ours from any thread. Drivers of libpq allow that by themselves."""
    if scalar := getattr(session, "scalar_from_thread", None):
        return scalar  # type: ignore[no-any-return]
    raw = driver_session(session)
    return lambda sql: query(raw, sql)[0]


def is_blocking_others(pids: Iterable[int]) -> str:
    """Return a query: whether another session waits for a lock that these hold, or wait for themselves before it.

    PostgreSQL shows locks to every role, but not what other roles' sessions do.
    """
    own = f"ARRAY[{','.join(map(str, sorted(pids)))}]"
    return (
        f"SELECT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE NOT granted AND pid <> ALL ({own})"
        f" AND pg_catalog.pg_blocking_pids(pid) && {own})"
    )
