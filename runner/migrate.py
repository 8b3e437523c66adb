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
import random
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, unquote

import sqlalchemy
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import to_tuple
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

REBUILD = "build the image from the reviewed tree"

LOCK_KEY = int.from_bytes(b"unity-db", "big")
"""Key of the advisory lock: https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS."""

TERMINATION_LIMIT = 4096
"""Bytes that Kubernetes keeps of a termination message."""

SIGNALS = (signal.SIGTERM, signal.SIGINT)
"""What ends the runner in good order."""

RETRYABLE = re.compile(r"08...|40001|40P01|55P03|57P0[1235]|53300")
"""SQLSTATEs that time mends: lost connection, deadlock, lock timeout, restart of the server, too many connections."""

HOPELESS = re.compile(
    r"authentication failed|no password supplied|pg_hba\.conf|does not exist|permission denied|not permitted to log in"
    r"|not currently accepting connections|does not support SSL|certificate|invalid port|configuration parameter"
)
"""What a refused connection says, which has no SQLSTATE, when waiting is no use. A name that can't be resolved is not
among it: a Service may be younger than the Job."""


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

    @staticmethod
    def read(path: Path) -> Chain:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Chain(frozenset(data["heads"]), tuple(Revision(**revision) for revision in data["revisions"]))


class Database:
    """The database as the image's own Alembic sees it."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.config = Config("alembic.ini")
        self.script = ScriptDirectory.from_config(self.config)

    def _run(self, steps: Any, **options: Any) -> None:
        with EnvironmentContext(self.config, self.script, fn=steps, **options):
            self.script.run_env()

    def current(self) -> frozenset[str]:
        """The rows of `alembic_version`; none is a database that was never migrated."""
        found: list[str] = []
        self._run(lambda current, _context: found.extend(current) or [], dont_mutate=True)
        return frozenset(found)

    def ancestors(self, revisions: frozenset[str]) -> frozenset[str]:
        """What the given revisions build on, dependencies on other branches included, without themselves."""
        found: set[str] = set()
        left = list(revisions)
        while left:
            script = self.script.get_revision(left.pop())
            names = to_tuple(script.down_revision, ()) + to_tuple(script.dependencies, ())
            parents = {parent.revision for parent in self.script.get_revisions(names) if parent}
            left.extend(parents - found)
            found |= parents
        return frozenset(found)

    def upgrade(self, revision: str) -> None:
        """Applies `revision`, whose predecessors are applied."""
        # Alembic documents this method for callers of EnvironmentContext, its underscore notwithstanding.
        self._run(lambda current, _context: self.script._upgrade_revs(revision, current), destination_rev=revision)

    @contextmanager
    def lock(self, deadline: float) -> Iterator[Connection]:
        """Holds the advisory lock on a connection of its own, whose end frees it whatever happens to this process.

        It polls: a statement that waits holds a snapshot, which CREATE INDEX CONCURRENTLY would wait for.
        """
        with connect(self.url) as connection:
            announced = ""
            while not connection.scalar(sqlalchemy.text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK_KEY}):
                holder = lock_holder(connection)
                if time.monotonic() >= deadline:
                    raise Refusal(f"another migration holds the lock: {holder}. Wait for it, or end it, and try again.")
                if holder != announced:
                    say(f"Waiting for another migration: {holder}")
                    announced = holder
                time.sleep(0.5)
            yield connection


def connect(url: URL, **arguments: Any) -> Connection:
    """A session outside the pool and without transactions."""
    engine = sqlalchemy.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=arguments)
    return engine.connect()


def lock_holder(connection: Connection) -> str:
    """Who holds the advisory lock, as people would look for it."""
    row = connection.execute(
        sqlalchemy.text(
            "SELECT a.pid, a.application_name, a.client_addr, a.backend_start FROM pg_locks l"
            " JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND (l.classid::bigint << 32) + l.objid::bigint = :key"
        ),
        {"key": LOCK_KEY},
    ).first()
    if not row:
        return "a session that has just ended"
    pid, name, address, start = row
    # PostgreSQL hides all but the pid from roles that are no member of the session's.
    details = [name and f"({name})", address and f"from {address}", start and f"since {start:%Y-%m-%d %H:%M:%S %Z}"]
    return " ".join([f"pid {pid}", *filter(None, details)])


def database_url() -> URL:
    """`DATABASE_URL` with a driver that the image has.

    :raises Refusal: if it is missing or none of PostgreSQL; its value is never repeated.
    """
    example = "postgresql://USER:PASSWORD@HOST:5432/DATABASE, special characters of the password percent-encoded"
    value = os.environ.get("DATABASE_URL", "").strip()
    if not value:
        raise Refusal(f"DATABASE_URL is not set: the container must get it from the database's Secret, as {example}.")
    with suppress(Exception):  # which would repeat the value
        url = make_url(re.sub("^postgres:", "postgresql:", value))
        if url.get_backend_name() == "postgresql" and url.database and (url.host or "host" in url.query):
            return url.set(drivername=f"postgresql+{driver()}")
    raise Refusal(f"DATABASE_URL (not shown) is no URL of a PostgreSQL database: set it to {example}.")


def driver() -> str:
    """The PostgreSQL driver of the image. SQLAlchemy 1 knows no psycopg 3."""
    known = ["psycopg2"] if sqlalchemy.__version__.startswith("1.") else ["psycopg", "psycopg2"]
    return next((name for name in known if find_spec(name)), known[0])


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
    unknown = current - {revision.id for revision in chain.revisions}
    if unknown:
        raise Refusal(
            f"the database is at {names(unknown)}, which this image does not know:"
            " deploy an image that has it, or restore the database."
        )
    ancestors = database.ancestors(current)
    if doubled := current & ancestors:
        raise Refusal(
            f"alembic_version holds {names(current)}, but {names(doubled)} is part of what the rest builds on:"
            " delete the rows that are too many after looking at the tables."
        )
    return current, [revision for revision in chain.revisions if revision.id not in current | ancestors]


def migrate(database: Database, chain: Chain, deadline: float) -> None:
    """Applies what is pending, a line each."""
    with database.lock(deadline) as lock:
        current, pending = compare(database, chain)
        if not pending:
            return say(f"Database is at head {names(current)}: nothing to migrate")
        say(f"Database is at {names(current)}; {len(pending)} of {len(chain.revisions)} revisions are pending")
        for revision in pending:
            lock.scalar(sqlalchemy.text("SELECT 1"))  # the lock ends with its session
            number = chain.revisions.index(revision) + 1
            started = time.monotonic()
            try:
                database.upgrade(revision.id)
            except (Exception, SystemExit) as error:
                raise RevisionFailed(revision, error) from error
            duration = time.monotonic() - started
            say(f"{number}/{len(chain.revisions)}  {revision.id}  {revision.title}  {duration:.2f} s")
        current, pending = compare(database, chain)
        if pending:
            raise Refusal(f"the database is at {names(current)} after the upgrade, not at {names(chain.heads)}.")
        say(f"Database is at head {names(current)}")


def wait(database: Database, chain: Chain, deadline: float) -> None:
    """Waits until the database is at the head."""
    announced = None
    while True:
        current, pending = compare(database, chain)
        if not pending:
            return say(f"Database is at head {names(current)}")
        if time.monotonic() >= deadline:
            raise Refusal(f"the database is still at {names(current)}, not at {names(chain.heads)}.")
        if current != announced:
            say(f"Database is at {names(current)}: waiting for {names(chain.heads)}")
            announced = current
        time.sleep(1)


def worth_retrying(error: BaseException) -> bool:
    """Whether time may mend what the database said."""
    if isinstance(error, RevisionFailed):
        return worth_retrying(error.cause)
    state = sqlstate(error)
    if state is not None:
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
    return mask("\n".join(lines))


def mask(text: str) -> str:
    """`text` without the password of `DATABASE_URL`, be that well-formed or not."""
    found = re.findall(r"://[^:/]*:(.+)@|[?&]password=([^&]+)", os.environ.get("DATABASE_URL", ""))
    for raw in filter(None, (part for parts in found for part in parts)):
        for form in sorted({raw, unquote(raw), quote(unquote(raw), safe="")}, key=len, reverse=True):
            text = text.replace(form, "[secret]")
    return text


def names(revisions: frozenset[str]) -> str:
    """Revisions for people; none is a database without any."""
    return ", ".join(sorted(revisions)) or "no revision"


def say(line: str) -> None:
    """A line of the log, at once."""
    print(line, flush=True)


def fail(text: str, log: Path, code: int = 1) -> NoReturn:
    """Ends the process, whichever thread calls, with the text in the container's log and its termination message."""
    print(text, file=sys.stderr, flush=True)
    if log.exists():
        with suppress(OSError):
            log.write_text(text.encode(errors="replace")[:TERMINATION_LIMIT].decode(errors="ignore"), encoding="utf-8")
    os._exit(code)


def end_when_told(url: URL, seconds: float, log: Path) -> NoReturn:
    """Waits in a thread for a signal, or for the last moment, and ends the process and its sessions.

    The main thread can't: a driver that waits in C lets Python handle no signal. Nor does its end suffice: the server
    goes on with a statement whose client is gone, locks held.
    """
    told = signal.sigtimedwait(SIGNALS, seconds)
    with suppress(Exception), connect(url, connect_timeout=2) as connection:
        connection.execute(
            sqlalchemy.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"
                " AND datname = current_database() AND pid <> pg_backend_pid()"
            ),
            {"name": os.environ["PGAPPNAME"]},
        )
    reason = signal.Signals(told.si_signo).name if told else f"the deadline of {seconds:g} s"
    text = f"Migration ended by {reason}; the transaction that was open is rolled back."
    fail(text, log, 128 + told.si_signo if told else 1)


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


def configure_libpq(arguments: argparse.Namespace) -> None:
    """Bounds of each session, and its name, which libpq takes whatever the image's env.py does to connect."""
    bounds = {"lock_timeout": arguments.lock_timeout_seconds, "statement_timeout": arguments.statement_timeout_seconds}
    settings = [f"-c {name}={round(seconds * 1000)}" for name, seconds in bounds.items()]
    os.environ["PGOPTIONS"] = " ".join([os.environ.get("PGOPTIONS", ""), *settings]).strip()
    # By this name, which is its own, the runner finds its sessions; PostgreSQL keeps 63 bytes.
    os.environ["PGAPPNAME"] = f"unity-migrate {os.environ.get('HOSTNAME', '')[:40]}:{os.getpid()}"
    os.environ.setdefault("PGCONNECT_TIMEOUT", "5")


def main() -> None:
    """Runs one mode, again after what time mends, until the deadline."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # kept for the thread that waits for them
    arguments = parse_arguments()
    log, seconds = arguments.termination_log, arguments.deadline_seconds
    # The pod is killed at its deadline without a word: stop a little earlier and say why.
    deadline = time.monotonic() + max(1, seconds * 0.9 - 2)
    configure_libpq(arguments)
    # Its lines for every look at the database would bury those of the revisions.
    logging.getLogger("alembic.runtime.migration").addFilter(lambda record: record.levelno > logging.INFO)
    try:
        chain, url = Chain.read(arguments.chain), database_url()
        threading.Thread(target=end_when_told, args=(url, seconds, log), daemon=True).start()
        os.chdir(arguments.folder)  # as `alembic` would run there: relative paths of alembic.ini are the folder's
        database = Database(url)
        verify_image(database, chain)
    except Exception as error:
        fail(describe(error), log)
    run = migrate if arguments.mode == "upgrade" else wait
    delay = 0.5
    while True:
        try:
            return run(database, chain, deadline)
        except (Exception, SystemExit) as error:
            text = describe(error)
            if not worth_retrying(error):
                fail(text, log)
            if time.monotonic() + delay >= deadline:
                fail(f"{text}\nNot tried again: the deadline of {seconds:g} s is near.", log)
        say(f"{text}\nTrying again in {delay:.1f} s")
        time.sleep(delay)
        delay = min(delay * 2, 10) * random.uniform(0.8, 1.2)


if __name__ == "__main__":
    main()
