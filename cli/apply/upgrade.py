"""`alembic upgrade` inside the backend's pod, under the lock that keeps migrations apart, with bounded waits.

Takes the revision, and the milliseconds that a statement may wait for a lock and may run.
"""

import os
import sys

from connection import connect, describe

KEY = int.from_bytes(b"unity-db", "big")
"""Of the runner's lock (runner/runner_lock.py)."""

target, lock_timeout, statement_timeout = sys.argv[1:]
os.dup2(1, 2)  # Alembic's log, in its order
try:
    from alembic import command
    from alembic.config import Config

    lock = connect()
    lock.autocommit = True
    cursor = lock.cursor()
    cursor.execute("SELECT pg_try_advisory_lock(%s)", (KEY,))
    if not cursor.fetchone()[0]:
        sys.exit("another migration holds the lock: wait for it, and try again")
    os.environ["PGOPTIONS"] = f"-c lock_timeout={int(lock_timeout)} -c statement_timeout={int(statement_timeout)}"
    command.upgrade(Config("alembic.ini"), target)
except Exception as error:
    sys.exit(describe(error))
