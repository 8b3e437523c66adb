"""Run `alembic upgrade` inside the backend's pod, under the runner's advisory lock and with timeouts.

Arguments: the target revision, the lock timeout, and the statement timeout, both in milliseconds. Prints Alembic's log,
then the error as JSON, or null.
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
    """Upgrade to the target, and return an error message or None."""
    lock_session = connect()
    lock_session.autocommit = True
    cursor = lock_session.cursor()
    cursor.execute("SELECT pg_try_advisory_lock(%s)", (KEY,))
    if not cursor.fetchone()[0]:
        return "another migration holds the advisory lock. Wait for it to finish, and retry."
    os.environ["PGOPTIONS"] = f"-c lock_timeout={int(lock_timeout)} -c statement_timeout={int(statement_timeout)}"
    command.upgrade(Config("alembic.ini"), target)
    return None


os.dup2(1, 2)  # to keep the order of Alembic's log
try:
    message = upgrade(*sys.argv[1:])
except Exception as error:
    message = describe(error)
print(MARK + json.dumps(message), flush=True)
