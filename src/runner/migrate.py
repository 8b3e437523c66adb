"""Migrate the database to the head of the chain, or to another revision, from inside the backend's image.

Runs the image's own Alembic, like `alembic upgrade head`, and adds: one migration at a time per database (an advisory
lock), lock and statement timeouts, retries of transient errors, and a termination message that names the revision, the
statement, and the SQLSTATE.

modes:
  upgrade    apply pending revisions up to --target
  downgrade  downgrade revisions beyond --target, newest first
  reach      upgrade or downgrade to --target
  wait       wait until no revision is pending; change nothing
  status     print the state of the database and the image as JSON; change nothing

Requires Python 3.9, Alembic 1.8, SQLAlchemy 1.4, a driver for its own sessions (psycopg 3 or 2, pg8000, or asyncpg;
env.py may use any), and `DATABASE_URL` in the environment. If it points to a connection pooler,
`MIGRATION_DATABASE_URL` must point to PostgreSQL itself; it is used instead. `APPLICATION_DATABASE_URL` is the URL of
the application's role, if that is not the one that migrates. `PGSSLMODE` applies to all of them. `MIGRATION_IMAGE`, the
image's reference, is stored in the run record. `MIGRATION_PLAN` is the plan of a migration Job as JSON, if it has one:
the database, and the revision to start at. If they differ, nothing is changed. With the standard variables of
OpenTelemetry (`OTEL_EXPORTER_OTLP_ENDPOINT` and others), the runner sends spans of a migration.

exit codes: 0 success; 1 failure, or status: manual action required; 2 usage error; 3 status: revisions are pending;
128 + n terminated by signal n.
"""

# ruff: noqa: E402
from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
import threading
import time
from pathlib import Path

gc.disable()  # until the revisions are loaded, which stay: in a long chain, looking for garbage would take longer

if getattr(sys.flags, "safe_path", False):  # PYTHONSAFEPATH, since Python 3.11
    sys.path.insert(0, os.path.dirname(__file__))

from runner_chain import Chain, verify_image
from runner_database import Database
from runner_errors import is_retryable
from runner_exit import EXITING, SIGNALS, fail, fail_on_signal
from runner_migration import downgrade, reach, upgrade
from runner_output import describe, report
from runner_plan import Task
from runner_roles import application_role
from runner_session import configure_sessions, database_url
from runner_spans import SPANS
from runner_status import status, wait

# From here on, imports resolve as for `alembic`: not to the runner's folder.
sys.path.pop(0)

MODES = {"upgrade": upgrade, "downgrade": downgrade, "reach": reach, "wait": wait, "status": status}


def parse_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=list(MODES))
    parser.add_argument("--chain", type=Path, required=True, help="JSON file of the reviewed chain")
    parser.add_argument("--target", metavar="REVISION", help="target revision, or base (default: the chain's heads)")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="the app's folder (default: current)")
    parser.add_argument("--lock-timeout-seconds", type=float, default=5)
    parser.add_argument("--statement-timeout-seconds", type=float, default=300)
    parser.add_argument("--deadline-seconds", type=float, default=600)
    parser.add_argument("--application-role", metavar="NAME", help="role with row access only (default: none)")
    parser.add_argument("--create-application-role", action="store_true", help="create the role if it does not exist")
    parser.add_argument("--termination-log", type=Path, default="/dev/termination-log", help="written if it exists")
    arguments = parser.parse_args()
    if arguments.mode == "downgrade" and not arguments.target:
        parser.error("downgrade requires --target: a revision, or base to downgrade all")
    return arguments


def main() -> int | None:
    """Run one mode and retry transient errors until the deadline. Return the exit code."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # for the thread that waits for them
    arguments = parse_arguments()
    log, seconds = arguments.termination_log, arguments.deadline_seconds
    # At the deadline, the process ends, whatever it does: stop earlier, with the cause.
    deadline = time.monotonic() + max(1, seconds * 0.9 - 2)
    configure_sessions(arguments.lock_timeout_seconds, arguments.statement_timeout_seconds, deadline)
    if arguments.mode == "status":
        sys.stdout = sys.stderr  # stdout is for the JSON only
    try:
        chain, url = Chain.read(arguments.chain), database_url()
        if arguments.mode not in ("wait", "status"):
            SPANS.begin(url.database)
        threading.Thread(target=fail_on_signal, args=(url, seconds, log), daemon=True).start()
        os.chdir(arguments.folder)  # relative paths resolve as for `alembic`
        name, create = arguments.application_role, arguments.create_application_role
        role = application_role(name, create) if name else None
        task = Task(Database(chain.alembic, chain.version_table), chain, url, deadline, arguments.target, role)
        if arguments.mode != "status":  # which reports differences in its JSON
            verify_image(task.database, chain)
    except Exception as error:
        SPANS.failed(error)
        fail(describe(error), log)
    delay = 0.5
    while True:
        try:
            code = MODES[arguments.mode](task)
            break
        except (Exception, SystemExit) as error:
            SPANS.failed(error)
            message = describe(error)
            if not is_retryable(error):
                fail(message, log)
            if time.monotonic() + delay >= deadline:
                fail(f"{message}\nNot retrying: too close to the deadline of {seconds:g}s.", log)
        report(f"{message}\nRetrying in {delay:.1f}s")
        time.sleep(delay)
        with EXITING:  # no retry once the process ends
            delay = min(delay * 2, 10)
    EXITING.acquire()  # the outcome is certain: neither a signal nor the deadline changes it
    SPANS.send()
    return code


if __name__ == "__main__":
    sys.exit(main())
