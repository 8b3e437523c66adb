"""The end of the runner's process: with a message, and with no session left behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from runner_contract import CONTRACT
from runner_record import record_interruption
from runner_session import connect
from runner_spans import SPANS
from runner_url import DatabaseUrl
from sqlalchemy import text

TERMINATION_MESSAGE_BYTES = 4096  # Kubernetes truncates longer messages
SIGNALS = (signal.SIGTERM, signal.SIGINT)
EXITING = threading.RLock()  # held by the thread that ends the process, so that no other one can

TERMINATE_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
    WHERE (application_name = :name OR pid = ANY(:pids)) AND datname = current_database() AND pid <> pg_backend_pid()"""


def fail(message: str, log: Path, code: int = 1) -> NoReturn:
    """End the process, from any thread, with a message on stderr and in the termination log, and send its spans."""
    EXITING.acquire()
    print(message, file=sys.stderr, flush=True)
    with suppress(OSError):
        if log.exists():
            truncated = message.encode(errors="replace")[:TERMINATION_MESSAGE_BYTES]
            log.write_bytes(truncated.decode(errors="ignore").encode())  # without half a character
    with suppress(Exception):
        SPANS.send(is_failed=True)
    os._exit(code)


def fail_on_signal(url: DatabaseUrl, seconds: float, log: Path) -> NoReturn:
    """Wait for a signal or the deadline, then terminate the runner's sessions and the process.

    This needs a thread of its own: Python can't handle a signal while a driver waits in C. Ending the process is not
    enough, because the server continues a statement whose client is gone, with its locks.
    """
    received = signal.sigtimedwait(SIGNALS, seconds)
    EXITING.acquire()
    name = signal.Signals(received.si_signo).name if received else "timeout"
    SPANS.interrupted(name)
    cause = f"interrupted by {name}" if received else f"timed out after {seconds:g}s"
    message = f"Migration {cause}; the open transaction was rolled back."
    with suppress(Exception), connect(url, timeout_seconds=10) as session:
        with suppress(Exception):
            record_interruption(session, message)  # before the lock is released: the next runner would record less
        session.execute(text(TERMINATE_SESSIONS), {"name": os.environ["PGAPPNAME"], "pids": list(CONTRACT.sessions)})
    fail(message, log, 128 + received.si_signo if received else 1)
