"""How the runner's process ends: with a message, and with none of its sessions left."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from runner_record import record_interruption
from runner_session import connect
from sqlalchemy import text
from sqlalchemy.engine import URL

TERMINATION_LIMIT = 4096  # bytes that Kubernetes keeps of a termination message
SIGNALS = (signal.SIGTERM, signal.SIGINT)
ENDING = threading.RLock()  # taken by the thread that ends the process, so that the other can't end it otherwise

END_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = :name AND datname = current_database() AND pid <> pg_backend_pid()"""


def fail(message: str, log: Path, code: int = 1) -> NoReturn:
    """Ends the process, whichever thread calls, with the message in the container's log and its termination message."""
    ENDING.acquire()
    print(message, file=sys.stderr, flush=True)
    with suppress(OSError):
        if log.exists():
            log.write_bytes(message.encode(errors="replace")[:TERMINATION_LIMIT].decode(errors="ignore").encode())
    os._exit(code)


def end_when_told(url: URL, seconds: float, log: Path) -> NoReturn:
    """Waits in a thread for a signal, or for the last moment, and ends the process and its sessions.

    The main thread can't: a driver that waits in C lets Python handle no signal. Nor does its end suffice: the server
    goes on with a statement whose client is gone, locks held.
    """
    told = signal.sigtimedwait(SIGNALS, seconds)
    ENDING.acquire()
    reason = signal.Signals(told.si_signo).name if told else f"the deadline of {seconds:g} s"
    message = f"Migration ended by {reason}; the transaction that was open is rolled back."
    with suppress(Exception), connect(url, connect_timeout=2) as session:
        with suppress(Exception):
            record_interruption(session, message)  # first: then the lock is free, and the next one would write less
        session.execute(text(END_SESSIONS), {"name": os.environ["PGAPPNAME"]})
    fail(message, log, 128 + told.si_signo if told else 1)
