"""Brings the database to the head of the chain, from inside the backend's image.

It drives the image's own Alembic, so that what runs is what `alembic upgrade head` would run, and adds what that lacks:
one migration at a time (a session advisory lock), bounded waits, retries of what a retry can mend, and a failure that
names revision, statement and SQLSTATE in the pod's termination message.

Needs Python 3.9, Alembic 1.8, SQLAlchemy 1.4 and psycopg 3 or 2 (the bounds are given to libpq, so other drivers won't
do), and `DATABASE_URL` in the environment. Exit codes: 0 done, 1 failed, 2 wrong usage, 128 + n ended by signal n.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

import sqlalchemy
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

REBUILD = "build the image from the reviewed tree"
EXAMPLE = "postgresql://USER:PASSWORD@HOST:5432/DATABASE, special characters of the password percent-encoded"
TERMINATION_LIMIT = 4096  # bytes that Kubernetes keeps of a termination message
SIGNALS = (signal.SIGTERM, signal.SIGINT)
ENDING = threading.RLock()  # taken by the thread that ends the process, so that the other can't end it otherwise

say = partial(print, flush=True)

LOCK_KEY = int.from_bytes(b"unity-db", "big")
TAKE_LOCK = f"SELECT pg_try_advisory_lock({LOCK_KEY})"
LOCK_HOLDER = f"""
    SELECT concat_ws(' ', 'pid', a.pid, '(' || nullif(a.application_name, '') || ')', 'from ' || host(a.client_addr),
        'since ' || to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ'))
    FROM pg_locks l JOIN pg_stat_activity a USING (pid) JOIN pg_database d ON d.oid = l.database
    WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()
    AND l.objsubid = 1 AND (l.classid::bigint << 32) + l.objid::bigint = {LOCK_KEY}"""
END_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = :name AND datname = current_database() AND pid <> pg_backend_pid()"""

# SQLSTATEs that time mends: lost connection, deadlock, lock timeout, restart of the server, too many connections.
RETRYABLE = re.compile(r"08...|40001|40P01|55P03|57P0[1235]|53300")
# What a refused connection says, which has no SQLSTATE, when waiting is no use. A name that can't be resolved is not
# among it: a Service may be younger than the Job.
HOPELESS = re.compile(
    r"authentication failed|no password supplied|pg_hba\.conf|does not exist|permission denied|not permitted to log in"
    r"|not currently accepting connections|does not support SSL|certificate|invalid port|configuration parameter"
)


class Refusal(Exception):
    """What a person has to decide: never retried."""


class RevisionFailed(Exception):
    """What a revision raised, which is rolled back: the cause is the database's or the revision's own error."""

    def __init__(self, revision: Revision, cause: BaseException) -> None:
        super().__init__(f"Revision {revision.id} ({revision.title}) failed; its transaction is rolled back.")
        self.cause = cause


@dataclass(frozen=True)
class Revision:
    """A revision as the reviewed lock records it."""

    id: str
    title: str
    file: str
    sha256: str


@dataclass(frozen=True)
class Chain:
    """The reviewed chain, base first."""

    heads: frozenset[str]
    revisions: tuple[Revision, ...]
    # Revisions of later releases that this one declares it can run on.
    tolerated: frozenset[str]

    @staticmethod
    def read(path: Path) -> Chain:
        """Reads the file that the release brings."""
        reviewed = json.loads(path.read_text(encoding="utf-8"))
        revisions = tuple(Revision(**revision) for revision in reviewed["revisions"])
        return Chain(frozenset(reviewed["heads"]), revisions, frozenset(reviewed.get("tolerated", [])))


class Database:
    """The database as the image's own Alembic sees it."""

    def __init__(self) -> None:
        self.config = Config("alembic.ini")
        self.script = ScriptDirectory.from_config(self.config)

    def _run(self, steps: Any, **options: Any) -> None:
        with EnvironmentContext(self.config, self.script, fn=steps, **options):
            self.script.run_env()

    def current(self) -> frozenset[str]:
        """The rows of `alembic_version`; none is a database that was never migrated."""
        found: set[str] = set()

        def look(current: tuple[str, ...], _context: Any) -> list[Any]:
            found.update(current)
            return []

        self._run(look, dont_mutate=True)
        return frozenset(found)

    def lineage(self, revision: str) -> frozenset[str]:
        """`revision` and all that it builds on, dependencies on other branches included."""
        return frozenset(step.revision for step in self.script.iterate_revisions(revision, "base"))

    def upgrade(self, revision: str) -> None:
        """Applies `revision`, whose predecessors are applied."""
        # Alembic documents this method for callers of EnvironmentContext, its underscore notwithstanding.
        self._run(lambda current, _context: self.script._upgrade_revs(revision, current), destination_rev=revision)


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


def verify_image(database: Database, chain: Chain) -> None:
    """Compares the image's revisions with the reviewed chain.

    :raises Refusal: naming what differs.
    """
    for revision in chain.revisions:
        path = Path(revision.file)
        if not path.is_file():
            raise Refusal(f"the image lacks {revision.file} of revision {revision.id}: {REBUILD}.")
        if hashlib.sha256(path.read_bytes()).hexdigest() != revision.sha256:
            raise Refusal(f"the image's {revision.file} is not the reviewed one of revision {revision.id}: {REBUILD}.")
    heads = frozenset(database.script.get_heads())
    if heads != chain.heads:
        raise Refusal(f"the image's head is {names(heads)}, but the release declares {names(chain.heads)}: {REBUILD}.")


def compare(database: Database, chain: Chain) -> tuple[frozenset[str], list[Revision]]:
    """Where the database is, and what is pending, base first.

    :raises Refusal: if `alembic_version` holds what Alembic would not have written.
    """
    current = database.current()
    if foreign := current - {revision.id for revision in chain.revisions}:
        if len(current) == 1 and foreign <= chain.tolerated:
            return current, []
        mend = "deploy an image that has it, or restore the database"
        raise Refusal(f"the database is at {names(foreign)}, which this image does not know: {mend}.")
    lineages = {row: database.lineage(row) for row in current}
    if doubled := frozenset(row for row in current if any(row in lineages[other] for other in current - {row})):
        mend = "delete the rows that are too many, after a look at the tables"
        raise Refusal(f"alembic_version holds {names(current)}, but {names(doubled)} is implied by the rest: {mend}.")
    applied = frozenset().union(*lineages.values())
    return current, [revision for revision in chain.revisions if revision.id not in applied]


def migrate(database: Database, chain: Chain, url: URL, deadline: float) -> None:
    """Applies what is pending, a line each."""
    with advisory_lock(url, deadline) as lock:
        current, pending = compare(database, chain)
        if not pending:
            say(f"{standing(current, chain)}: nothing to migrate")
            return
        say(f"Database is at {names(current)}; {len(pending)} of {len(chain.revisions)} revisions are pending")
        for revision in pending:
            lock.scalar(text("SELECT 1"))  # the lock ends with its session
            number = chain.revisions.index(revision) + 1
            started = time.monotonic()
            try:
                database.upgrade(revision.id)
            except (Exception, SystemExit) as error:
                raise RevisionFailed(revision, error) from error
            took = time.monotonic() - started
            say(f"{number}/{len(chain.revisions)}  {revision.id}  {revision.title}  {took:.2f} s")
        current, pending = compare(database, chain)
        if pending:
            raise Refusal(f"the database is at {names(current)} after the upgrade, not at {names(chain.heads)}.")
        say(standing(current, chain))


def standing(current: frozenset[str], chain: Chain) -> str:
    """Where a database is that lacks nothing of the chain."""
    if current and current <= chain.tolerated:
        return f"Database is ahead, at {names(current)}, which this release tolerates"
    return f"Database is at head {names(current)}"


def wait(database: Database, chain: Chain, _url: URL, deadline: float) -> None:
    """Waits until the database is at the head."""
    announced = None
    while (found := compare(database, chain))[1]:
        current = found[0]
        if time.monotonic() >= deadline:
            raise Refusal(f"the database is still at {names(current)}, not at {names(chain.heads)}.")
        if current != announced:
            say(f"Database is at {names(current)}: waiting for {names(chain.heads)}")
            announced = current
        time.sleep(1)
    say(standing(found[0], chain))


def worth_retrying(error: BaseException) -> bool:
    """Whether time may mend what the database said."""
    error = error.cause if isinstance(error, RevisionFailed) else error
    if state := sqlstate(error):
        return RETRYABLE.fullmatch(state) is not None
    return isinstance(error, OperationalError) and not HOPELESS.search(str(error.orig))


def sqlstate(error: BaseException) -> str | None:
    """The five characters of SQL's own error code, from SQLAlchemy's error or a driver's own."""
    origin = getattr(error, "orig", error)
    state = getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None)
    return state if isinstance(state, str) else None


def describe(error: BaseException) -> str:
    """What went wrong as a person needs it: revision, message, SQLSTATE, statement; never the password."""
    lines = ["Migration failed."]
    if isinstance(error, RevisionFailed):
        lines, error = [str(error)], error.cause
    if isinstance(error, DBAPIError):
        lines.append(str(error.orig).strip())
    else:
        lines.append(str(error) if isinstance(error, Refusal) else f"{type(error).__name__}: {error}")
    if state := sqlstate(error):
        lines.append(f"SQLSTATE {state}")
    if statement := getattr(error, "statement", None):
        lines.append(f"Statement: {' '.join(statement.split())[:600]}")
    message = "\n".join(lines)
    for found in re.finditer(r"://[^:/]*:([^@]+)@|[?&]password=([^&]+)", os.environ.get("DATABASE_URL", "")):
        raw = found[1] or found[2]
        message = message.replace(raw, "[secret]").replace(unquote(raw), "[secret]")
    return message


def names(revisions: frozenset[str]) -> str:
    """Revisions for people; none is a database without any."""
    return ", ".join(sorted(revisions)) or "no revision"


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
    with suppress(Exception), connect(url, connect_timeout=2) as session:
        session.execute(text(END_SESSIONS), {"name": os.environ["PGAPPNAME"]})
    reason = signal.Signals(told.si_signo).name if told else f"the deadline of {seconds:g} s"
    message = f"Migration ended by {reason}; the transaction that was open is rolled back."
    fail(message, log, 128 + told.si_signo if told else 1)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["upgrade", "wait"])
    parser.add_argument("--chain", type=Path, required=True, help="JSON of the reviewed chain")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="where alembic.ini lies (default: here)")
    parser.add_argument("--lock-timeout-seconds", type=float, default=5)
    parser.add_argument("--statement-timeout-seconds", type=float, default=300)
    parser.add_argument("--deadline-seconds", type=float, default=600)
    parser.add_argument("--termination-log", type=Path, default="/dev/termination-log", help="written if it exists")
    return parser.parse_args()


def main() -> None:
    """Runs one mode, again after what time mends, until the deadline."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # kept for the thread that waits for them
    arguments = parse_arguments()
    log, seconds = arguments.termination_log, arguments.deadline_seconds
    # The pod is killed at its deadline without a word: stop a little earlier and say why.
    deadline = time.monotonic() + max(1, seconds * 0.9 - 2)
    # Bounds and names every session: libpq reads these whatever the image's env.py does to connect.
    bounds = {"lock_timeout": arguments.lock_timeout_seconds, "statement_timeout": arguments.statement_timeout_seconds}
    settings = [f"-c {name}={round(bound * 1000)}" for name, bound in bounds.items()]
    os.environ["PGOPTIONS"] = " ".join([os.environ.get("PGOPTIONS", ""), *settings]).strip()
    # Its own name, by which the runner finds its sessions, in the 63 bytes that PostgreSQL keeps.
    os.environ["PGAPPNAME"] = f"unity-migrate {os.environ.get('HOSTNAME', '')[:40]}:{os.getpid()}"
    os.environ.setdefault("PGCONNECT_TIMEOUT", "5")
    # Its lines for every look at the database would bury those of the revisions.
    logging.getLogger("alembic.runtime.migration").addFilter(lambda record: record.levelno > logging.INFO)
    try:
        chain, url = Chain.read(arguments.chain), database_url()
        threading.Thread(target=end_when_told, args=(url, seconds, log), daemon=True).start()
        os.chdir(arguments.folder)  # as `alembic` would run there: relative paths of alembic.ini are the folder's
        database = Database()
        verify_image(database, chain)
    except Exception as error:
        fail(describe(error), log)
    run = migrate if arguments.mode == "upgrade" else wait
    delay = 0.5
    while True:
        try:
            return run(database, chain, url, deadline)
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
    main()
