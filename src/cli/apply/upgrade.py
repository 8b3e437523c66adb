"""Run `alembic upgrade` in the backend's pod, under the advisory lock of migrations and with timeouts.

Arguments: the revision, and the lock and statement timeouts in milliseconds. Print Alembic's log, then the error, or
null, as JSON.
"""

import json
import os
import sys

from alembic import command
from alembic.config import Config
from connection import MARK, connect, describe

KEY = int.from_bytes(b"unity-db", "big")
"""Key of the runner's advisory lock (runner/runner_lock.py)."""


def upgrade(target, lock_timeout, statement_timeout):
    """Upgrade to the target; return an error message, or None."""
    lock = connect()
    lock.autocommit = True
    cursor = lock.cursor()
    cursor.execute("SELECT pg_try_advisory_lock(%s)", (KEY,))
    if not cursor.fetchone()[0]:
        return "another migration holds the advisory lock; wait until it ends, and retry"
    os.environ["PGOPTIONS"] = f"-c lock_timeout={int(lock_timeout)} -c statement_timeout={int(statement_timeout)}"
    command.upgrade(Config("alembic.ini"), target)
    return None


os.dup2(1, 2)  # keeps Alembic's log in order
try:
    error = upgrade(*sys.argv[1:])
except Exception as exception:
    error = describe(exception)
print(MARK + json.dumps(error), flush=True)
