"""Sessions of the runner's own, and the lock that lets one migration run at a time."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import Any

import sqlalchemy
from runner_failures import Refusal
from runner_words import say
from sqlalchemy import text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.pool import NullPool

EXAMPLE = "postgresql://USER:PASSWORD@HOST:5432/DATABASE, special characters of the password percent-encoded"

LOCK_KEY = int.from_bytes(b"unity-db", "big")
TAKE_LOCK = f"SELECT pg_try_advisory_lock({LOCK_KEY})"
LOCK_HOLDER = f"""
    SELECT concat_ws(' ', 'pid', a.pid, '(' || nullif(a.application_name, '') || ')', 'from ' || host(a.client_addr),
        'since ' || to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ'))
    FROM pg_locks l JOIN pg_stat_activity a USING (pid) JOIN pg_database d ON d.oid = l.database
    WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()
    AND l.objsubid = 1 AND (l.classid::bigint << 32) + l.objid::bigint = {LOCK_KEY}"""


def connect(url: URL, **arguments: Any) -> Connection:
    """A session without pool and transactions."""
    engine = sqlalchemy.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=arguments)
    return engine.connect()


@contextmanager
def advisory_lock(url: URL, deadline: float) -> Iterator[Connection]:
    """Holds the lock on a session of its own, whose end frees it whatever happens to this process.

    It polls: a statement that waits holds a snapshot, which CREATE INDEX CONCURRENTLY would wait for.
    """
    with connect(url) as session:
        announced = ""
        while not session.scalar(text(TAKE_LOCK)):
            # PostgreSQL hides all but the pid from roles that are no member of the session's.
            holder = session.scalar(text(LOCK_HOLDER)) or "a session that has just ended"
            if time.monotonic() >= deadline:
                raise Refusal(f"another migration holds the lock: {holder}. Wait for it, or end it, and try again.")
            if holder != announced:
                say(f"Waiting for another migration: {holder}")
                announced = holder
            time.sleep(0.5)
        yield session


def database_url() -> URL:
    """`DATABASE_URL` with a driver that the image has.

    :raises Refusal: if it is missing or none of PostgreSQL; its value is never repeated.
    """
    value = os.environ.get("DATABASE_URL", "").strip()
    if not value:
        raise Refusal(f"DATABASE_URL is not set: the container must get it from the database's Secret, as {EXAMPLE}.")
    # SQLAlchemy 1 knows no psycopg 3.
    driver = "psycopg" if find_spec("psycopg") and sqlalchemy.__version__ >= "2" else "psycopg2"
    with suppress(Exception):  # which would repeat the value
        url = make_url(re.sub("^postgres:", "postgresql:", value))
        host = url.host or url.query.get("host")
        if url.get_backend_name() == "postgresql" and url.database and host and "@" not in host:
            return url.set(drivername=f"postgresql+{driver}")
    raise Refusal(f"DATABASE_URL (not shown) is no URL of a PostgreSQL database: set it to {EXAMPLE}.")
