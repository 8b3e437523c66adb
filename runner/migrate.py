"""Brings the database to the head of the chain, from inside the backend's image.

It drives the image's own Alembic, so that what runs is what `alembic upgrade head` would run, and adds what that lacks:
one migration at a time (a session advisory lock), bounded waits, retries of what a retry can mend, and a failure that
names revision, statement and SQLSTATE in the pod's termination message.

Needs Python 3.9, Alembic 1.8 and SQLAlchemy 1.4 or later, and `DATABASE_URL` in the environment. Exit codes: 0 done, 1
failed, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import sqlalchemy
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

LOCK_KEY = int.from_bytes(b"unity-db", "big")
"""Key of the advisory lock: https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS."""

TERMINATION_LOG = Path("/dev/termination-log")
TERMINATION_LIMIT = 4096
"""Bytes that Kubernetes keeps of a termination message."""

RETRYABLE = re.compile(r"08...|40001|40P01|55P03|57P0[1-3]|53300")
"""SQLSTATEs that time mends: lost connection, deadlock, lock timeout, restart of the server, too many connections."""

HOPELESS = re.compile(r"authentication failed|does not exist|no pg_hba.conf entry|permission denied|could not translate")
"""What a refused connection says, which has no SQLSTATE, when waiting is no use."""


class Refusal(Exception):
    """What a person has to decide: never retried."""


class RevisionFailed(Exception):
    """What a revision raised, which is rolled back: the cause is the database's or the revision's own error."""

    def __init__(self, revision: Revision, cause: Exception) -> None:
        super().__init__(f"Revision {revision.id} ({revision.title}) failed; it is rolled back.")
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
        data = json.loads(path.read_text())
        return Chain(frozenset(data["heads"]), tuple(Revision(**revision) for revision in data["revisions"]))


@dataclass(frozen=True)
class Options:
    """Bounds, in seconds."""

    lock_timeout: float
    statement_timeout: float
    deadline: float
    """On the clock of `time.monotonic`."""


class Database:
    """The database as the image's own Alembic sees it."""

    def __init__(self, url: URL, folder: Path) -> None:
        self.url = url
        self.config = Config(str(folder / "alembic.ini"))
        location = Path(self.config.get_main_option("script_location") or "alembic")
        if not location.is_absolute() and ":" not in str(location):
            self.config.set_main_option("script_location", str(folder / location))
        self.script = ScriptDirectory.from_config(self.config)

    def _run(self, steps: Any, **options: Any) -> None:
        with EnvironmentContext(self.config, self.script, fn=steps, **options):
            self.script.run_env()

    def current(self) -> frozenset[str]:
        """The rows of `alembic_version`; none is a database that was never migrated."""
        found: list[str] = []

        def note(current: Any, _context: Any) -> list[Any]:
            found.extend(current if isinstance(current, (tuple, list)) else [current] if current else [])
            return []

        self._run(note, dont_mutate=True)
        return frozenset(found)

    def upgrade(self, revision: str) -> None:
        """Applies `revision`, whose predecessors are applied."""
        # Alembic documents this method for callers of EnvironmentContext, its underscore notwithstanding.
        self._run(lambda current, _context: self.script._upgrade_revs(revision, current), destination_rev=revision)

    @contextmanager
    def lock(self, options: Options) -> Iterator[None]:
        """Holds the advisory lock, on a connection of its own, which ends it whatever happens to this process."""
        engine = sqlalchemy.create_engine(self.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            announced = False
            while not connection.scalar(sqlalchemy.text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK_KEY}):
                holder = lock_holder(connection)
                if time.monotonic() >= options.deadline:
                    raise Refusal(f"another migration holds the lock: {holder}. Wait for it, or end it, and try again.")
                if not announced:
                    say(f"Waiting for another migration: {holder}")
                    announced = True
                time.sleep(0.5)
            yield


def lock_holder(connection: Connection) -> str:
    """Who holds the advisory lock, as people would look for it."""
    row = connection.execute(
        sqlalchemy.text(
            "SELECT a.pid, a.application_name, a.client_addr, a.backend_start FROM pg_locks l"
            " JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted AND l.database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND (l.classid::bigint << 32) + l.objid::bigint = :key"
        ),
        {"key": LOCK_KEY},
    ).first()
    return f"pid {row[0]} ({row[1]}) from {row[2]} since {row[3]:%H:%M:%S}" if row else "a session that has just ended"


def database_url() -> URL:
    """`DATABASE_URL` with a driver that the image has.

    :raises Refusal: if it is missing or none; its value is never repeated.
    """
    try:
        url = make_url(os.environ["DATABASE_URL"].replace("postgres://", "postgresql://", 1))
    except KeyError:
        raise Refusal("DATABASE_URL is not set: the container must get it from the database's Secret.") from None
    except Exception:
        raise Refusal("DATABASE_URL is no database URL: postgresql://user:password@host:5432/name.") from None
    known = ["psycopg2", "pg8000"] if sqlalchemy.__version__.startswith("1.") else ["psycopg", "psycopg2", "pg8000"]
    drivers = [driver for driver in known if find_spec(driver)]
    if not drivers:
        raise Refusal("the image has no PostgreSQL driver: install psycopg.")
    return url.set(drivername=f"postgresql+{drivers[0]}")


def verify_image(database: Database, chain: Chain, folder: Path) -> None:
    """Compares the image's revisions with the reviewed chain.

    :raises Refusal: naming what differs.
    """
    heads = frozenset(database.script.get_heads())
    if heads != chain.heads:
        raise Refusal(
            f"the image's head is {names(heads)}, but the release declares {names(chain.heads)}:"
            " build the image from the reviewed tree."
        )
    for revision in chain.revisions:
        path = folder / revision.file
        if not path.is_file():
            raise Refusal(f"the image lacks {revision.file} of revision {revision.id}.")
        if hashlib.sha256(path.read_bytes()).hexdigest() != revision.sha256:
            raise Refusal(f"the image's {revision.file} is not the reviewed one of revision {revision.id}.")


def migrate(database: Database, chain: Chain, options: Options) -> None:
    """Applies what is pending, a line each."""
    with database.lock(options):
        current = database.current()
        unknown = current - {revision.id for revision in chain.revisions}
        if unknown:
            raise Refusal(f"the database is at {names(unknown)}, which this image does not know.")
        applied = {step.revision for head in current for step in database.script.iterate_revisions(head, "base")}
        pending = [revision for revision in chain.revisions if revision.id not in applied]
        if not pending:
            return say(f"Database is at head {names(current)}: nothing to migrate")
        say(f"Database is at {names(current)}; {len(pending)} of {len(chain.revisions)} revisions are pending")
        for revision in pending:
            number = chain.revisions.index(revision) + 1
            started = time.monotonic()
            try:
                database.upgrade(revision.id)
            except Exception as error:
                raise RevisionFailed(revision, error) from error
            duration = time.monotonic() - started
            say(f"{number}/{len(chain.revisions)}  {revision.id}  {revision.title}  {duration:.2f} s")
        current = database.current()
        if current != chain.heads:
            raise Refusal(f"the database is at {names(current)} after the upgrade, not at {names(chain.heads)}.")
        say(f"Database is at head {names(current)}")


def wait(database: Database, chain: Chain, options: Options) -> None:
    """Waits until the database is at the head."""
    while (current := database.current()) != chain.heads:
        if time.monotonic() >= options.deadline:
            raise Refusal(f"the database is still at {names(current)}, not at {names(chain.heads)}.")
        say(f"Database is at {names(current)}: waiting for {names(chain.heads)}")
        time.sleep(2)
    say(f"Database is at head {names(current)}")


def worth_retrying(error: Exception) -> bool:
    """Whether time may mend what the database said."""
    if isinstance(error, RevisionFailed):
        return worth_retrying(error.cause)
    if not isinstance(error, DBAPIError):
        return False
    state = sqlstate(error)
    if state is not None:
        return RETRYABLE.fullmatch(state) is not None
    return isinstance(error, sqlalchemy.exc.OperationalError) and not HOPELESS.search(str(error.orig))


def sqlstate(error: DBAPIError) -> str | None:
    """The five characters of SQL's own error code, whichever driver tells them."""
    state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    return state if isinstance(state, str) else None


def describe(error: Exception, password: str | None) -> str:
    """What went wrong as a person needs it: revision, message, SQLSTATE, statement; never the password."""
    lines = ["Migration failed."]
    if isinstance(error, RevisionFailed):
        lines, error = [str(error)], error.cause
    if isinstance(error, DBAPIError):
        lines.append(str(error.orig).strip())
        if state := sqlstate(error):
            lines.append(f"SQLSTATE {state}")
        if error.statement:
            lines.append(f"Statement: {' '.join(error.statement.split())[:600]}")
    else:
        lines.append(str(error) if isinstance(error, Refusal) else f"{type(error).__name__}: {error}")
    text = "\n".join(lines)
    return text.replace(password, "[secret]") if password else text


def names(revisions: frozenset[str]) -> str:
    """Revisions for people; none is a database without any."""
    return ", ".join(sorted(revisions)) or "no revision"


def say(line: str) -> None:
    """A line of the log, at once."""
    print(line, flush=True)


def fail(text: str) -> NoReturn:
    """Ends with exit code 1, the text in the log and in the termination message."""
    print(text, file=sys.stderr, flush=True)
    if TERMINATION_LOG.exists():
        TERMINATION_LOG.write_bytes(text.encode()[:TERMINATION_LIMIT])
    sys.exit(1)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["upgrade", "wait"])
    parser.add_argument("--chain", type=Path, required=True, help="JSON of the reviewed chain")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="where alembic.ini lies (default: here)")
    parser.add_argument("--lock-timeout-seconds", type=float, default=5)
    parser.add_argument("--statement-timeout-seconds", type=float, default=300)
    parser.add_argument("--deadline-seconds", type=float, default=600)
    return parser.parse_args()


def main() -> None:
    """Runs one mode, again after what time mends, until the deadline."""
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the first process of a container has no default action
    # The pod is killed at its deadline without a word: stop a little earlier and say why.
    options = Options(
        arguments.lock_timeout_seconds,
        arguments.statement_timeout_seconds,
        time.monotonic() + max(1, arguments.deadline_seconds * 0.9 - 2),
    )
    # libpq reads these whatever the image's env.py does to connect.
    timeouts = {"lock_timeout": options.lock_timeout, "statement_timeout": options.statement_timeout}
    settings = [f"-c {name}={int(seconds * 1000)}" for name, seconds in timeouts.items()]
    os.environ["PGOPTIONS"] = " ".join([os.environ.get("PGOPTIONS", ""), *settings]).strip()
    os.environ["PGAPPNAME"] = f"unity-migrate {os.environ.get('HOSTNAME', '')}".strip()
    os.environ.setdefault("PGCONNECT_TIMEOUT", "5")
    password: str | None = None
    try:
        url = database_url()
        password = str(url.password) if url.password else None
        chain, database = Chain.read(arguments.chain), Database(url, arguments.folder)
        verify_image(database, chain, arguments.folder)
    except Exception as error:
        fail(describe(error, password))
    run = migrate if arguments.mode == "upgrade" else wait
    delay = 0.5
    while True:
        try:
            return run(database, chain, options)
        except Exception as error:
            text = describe(error, password)
            if not worth_retrying(error) or time.monotonic() + delay >= options.deadline:
                fail(text)
        say(f"{text}\nTrying again in {delay:.1f} s")
        time.sleep(delay)
        delay = min(delay * 2, 10) * random.uniform(0.8, 1.2)


if __name__ == "__main__":
    main()
