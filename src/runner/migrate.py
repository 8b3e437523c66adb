"""Brings the database to the head of the chain, or another of its revisions, from inside the backend's image.

It drives the image's own Alembic, so that what runs is what `alembic upgrade head` would run, and adds what that lacks:
one migration at a time (a session advisory lock), bounded waits, retries of what a retry can mend, and a failure that
names revision, statement and SQLSTATE in the pod's termination message.

modes:
  upgrade    apply what is pending, up to --target
  downgrade  undo what was applied since --target, newest first
  reach      whichever of both leads to --target
  wait       wait until nothing is pending, change nothing
  status     print where database and image are as JSON, change nothing

Needs Python 3.9, Alembic 1.8, SQLAlchemy 1.4 and psycopg 3 or 2 (the bounds are given to libpq, so other drivers won't
do), and `DATABASE_URL` in the environment. Where that leads to a connection pooler, `MIGRATION_DATABASE_URL` must lead
to PostgreSQL itself; it is used instead. Where the application has a role of its own, which migrations give its rights,
`APPLICATION_DATABASE_URL` is that role's. `PGSSLMODE` holds for all of them. `UNITY_IMAGE`, the image's reference, is
for the run record.

exit codes: 0 done; 1 failed, or status: a person has to decide; 2 wrong usage; 3 status: revisions are pending;
128 + n ended by signal n.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

from runner_chain import Chain
from runner_database import Database, verify_image
from runner_downgrade import downgrade, reach
from runner_ending import SIGNALS, end_when_told, fail
from runner_failures import describe, worth_retrying
from runner_roles import application_role
from runner_session import database_url, set_up_sessions
from runner_status import status
from runner_task import Task
from runner_upgrade import upgrade, wait
from runner_words import say

# From here on, imports find what they would find for `alembic`: nothing of this folder.
sys.path.pop(0)

MODES = {"upgrade": upgrade, "downgrade": downgrade, "reach": reach, "wait": wait, "status": status}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=list(MODES))
    parser.add_argument("--chain", type=Path, required=True, help="JSON of the reviewed chain")
    parser.add_argument("--target", metavar="REVISION", help="where to (default: the chain's heads); base undoes all")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="where alembic.ini lies (default: here)")
    parser.add_argument("--lock-timeout-seconds", type=float, default=5)
    parser.add_argument("--statement-timeout-seconds", type=float, default=300)
    parser.add_argument("--deadline-seconds", type=float, default=600)
    parser.add_argument("--application-role", metavar="NAME", help="role that reads and writes rows (default: none)")
    parser.add_argument("--create-application-role", action="store_true", help="make that role if it is missing")
    parser.add_argument("--termination-log", type=Path, default="/dev/termination-log", help="written if it exists")
    arguments = parser.parse_args()
    if arguments.mode == "downgrade" and not arguments.target:
        parser.error("downgrade needs --target: a revision, or base, which undoes all")
    return arguments


def main() -> int | None:
    """Runs one mode, again after what time mends, until the deadline. Returns the exit code."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # kept for the thread that waits for them
    arguments = parse_arguments()
    log, seconds = arguments.termination_log, arguments.deadline_seconds
    # The pod is killed at its deadline without a word: stop a little earlier and say why.
    deadline = time.monotonic() + max(1, seconds * 0.9 - 2)
    set_up_sessions(arguments.lock_timeout_seconds, arguments.statement_timeout_seconds)
    if arguments.mode == "status":
        sys.stdout = sys.stderr  # stdout is for its answer alone
    # Its lines for every look at the database would bury those of the revisions.
    logging.getLogger("alembic.runtime.migration").addFilter(lambda record: record.levelno > logging.INFO)
    try:
        chain, url = Chain.read(arguments.chain), database_url()
        threading.Thread(target=end_when_told, args=(url, seconds, log), daemon=True).start()
        os.chdir(arguments.folder)  # as `alembic` would run there: relative paths of alembic.ini are the folder's
        name, create = arguments.application_role, arguments.create_application_role
        role = application_role(name, create) if name else None
        task = Task(Database(), chain, url, deadline, arguments.target, role)
        if arguments.mode != "status":  # which tells of it
            verify_image(task.database, chain)
    except Exception as error:
        fail(describe(error), log)
    delay = 0.5
    while True:
        try:
            return MODES[arguments.mode](task)
        except (Exception, SystemExit) as error:
            message = describe(error)
            if not worth_retrying(error):
                fail(message, log)
            if time.monotonic() + delay >= deadline:
                fail(f"{message}\nNot tried again: the deadline of {seconds:g} s is near.", log)
        say(f"{message}\nTrying again in {delay:.1f} s")
        time.sleep(delay)
        delay = min(delay * 2, 10)


if __name__ == "__main__":
    sys.exit(main())
