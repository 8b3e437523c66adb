"""`alembic upgrade` inside the backend's pod, under the lock that keeps migrations apart, with bounded waits.

Takes the revision, and the milliseconds that a statement may wait for a lock and may run. Prints Alembic's log, then
what went wrong as JSON.
"""

import json
import os
import sys

from alembic import command
from alembic.config import Config
from connection import MARK, connect, describe

KEY = int.from_bytes(b"unity-db", "big")
"""Of the runner's lock (runner/runner_lock.py)."""


def upgrade(target, lock_timeout, statement_timeout):
    """What went wrong; null if nothing did."""
    lock = connect()
    lock.autocommit = True
    cursor = lock.cursor()
    cursor.execute("SELECT pg_try_advisory_lock(%s)", (KEY,))
    if not cursor.fetchone()[0]:
        return "another migration holds the lock: wait for it, and try again"
    os.environ["PGOPTIONS"] = f"-c lock_timeout={int(lock_timeout)} -c statement_timeout={int(statement_timeout)}"
    command.upgrade(Config("alembic.ini"), target)
    return None


os.dup2(1, 2)  # Alembic's log, in its order
try:
    error = upgrade(*sys.argv[1:])
except Exception as fault:
    error = describe(fault)
print(MARK + json.dumps(error), flush=True)
