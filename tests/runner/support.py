"""Helpers: the runner as a process, chains of revisions, and temporary databases."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, ClassVar

import psycopg
import pytest
import sqlalchemy
from runner_chain import Revision
from runner_plan import Plan, plan_hash
from sqlalchemy.engine import URL

PROJECT = Path(__file__).parents[2]
BACKEND = PROJECT / "backend"
RUNNER = PROJECT / "src" / "runner" / "migrate.py"

LOCK_KEY = int.from_bytes(b"alembic!", "big")
"""Key of the runner's advisory lock."""

GATE = 7
"""Key of an advisory lock that blocks a gated revision while a test holds it."""


def dsn(url: URL) -> str:
    """Return the URL with its password."""
    return url.render_as_string(hide_password=False)


def session(url: URL, *, autocommit: bool = True) -> psycopg.Connection[tuple[Any, ...]]:
    """Open a session."""
    return psycopg.connect(dsn(url), autocommit=autocommit)


def query(url: URL, sql: str) -> list[tuple[Any, ...]]:
    """Run one statement in a new session and return its rows, if any."""
    with session(url) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description is not None else []


def revisions(url: URL) -> set[str]:
    """Return the rows of `alembic_version`."""
    if query(url, "SELECT to_regclass('alembic_version')") == [(None,)]:
        return set()
    return {row[0] for row in query(url, "SELECT version_num FROM alembic_version")}


@contextmanager
def password_required(server: URL, login: URL) -> Iterator[None]:
    """Require a password of a role in its database, which the server otherwise does not."""
    path = query(server, "SHOW hba_file")[0][0]
    if not os.access(path, os.W_OK):
        pytest.skip(f"{path} of the server can't be written from here")
    file = Path(path)
    before = file.read_text(encoding="utf-8")
    line = f"host {login.database} {login.username} all scram-sha-256\n"
    try:
        file.write_text(line + before, encoding="utf-8")
        query(server, "SELECT pg_reload_conf()")
        yield
    finally:
        file.write_text(before, encoding="utf-8")
        query(server, "SELECT pg_reload_conf()")


def stamp(url: URL, *rows: str) -> None:
    """Write rows of `alembic_version` manually."""
    query(url, "CREATE TABLE alembic_version (version_num text PRIMARY KEY)")
    for row in rows:
        query(url, f"INSERT INTO alembic_version VALUES ('{row}')")


def tables(url: URL) -> set[str]:
    """Return the tables of the schema `public`."""
    return {row[0] for row in query(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def until(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Wait until a condition is truthy, and return its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"timed out after {seconds:g}s: {what}")


def waiting(url: URL) -> int:
    """Wait until a session of the runner is blocked by a lock, and return its pid."""
    sql = (
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        " AND application_name LIKE 'alembic-migrate %'"
    )
    rows = until(lambda: query(url, sql), "the runner waits for a lock")
    return int(rows[0][0])


def runner_sessions(url: URL) -> list[tuple[Any, ...]]:
    """Return the pid, the state, and the query of each session of the runner."""
    return query(
        url,
        "SELECT a.pid, a.state, a.query FROM pg_stat_activity a WHERE a.datname = current_database()"
        " AND a.application_name LIKE 'alembic-migrate %'",
    )


@contextmanager
def closed_gate(url: URL) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """Block gated revisions until `SELECT pg_advisory_unlock` or the end of the block."""
    with session(url) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [GATE])
        yield connection


@contextmanager
def migration_lock(url: URL) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """Hold the runner's advisory lock, as another migration would."""
    with session(url) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
        yield connection


@contextmanager
def temporary_database(server: URL) -> Iterator[URL]:
    """Create a database, and drop it even if it has sessions."""
    name = f"unity_runner_{uuid.uuid4().hex[:12]}"
    query(server, f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        yield server.set(database=name)
    finally:
        query(server, f"DROP DATABASE {name} WITH (FORCE)")


# SQLAlchemy 1 does not support psycopg 3.
DRIVERS = (*(("psycopg",) if sqlalchemy.__version__ >= "2" else ()), "psycopg2", "pg8000", "asyncpg")


@dataclass(frozen=True)
class Image:
    """An image that has only one driver."""

    driver: str | None
    variables: dict[str, str]


def image_with(driver: str | None, folder: Path) -> Image:
    """Return an image with one driver or none: Python does not find the others.

    :param folder: Folder for a file of Python's startup.
    """
    missing = [name for name in DRIVERS if name != driver]
    text = f"""
import sys
from importlib.machinery import PathFinder

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name in {missing!r} else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
"""
    site = folder / "site"
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(text, encoding="utf-8")
    return Image(driver, {"PYTHONPATH": str(site)})


@dataclass
class Chain:
    """An image's folder and the reviewed chain."""

    folder: Path
    reviewed: Path
    entries: list[dict[str, Any]] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    tolerated: list[str] = field(default_factory=list)
    version_table: dict[str, str | None] = field(default_factory=dict)
    # SHA-256 of the reviewed files that belong to no single revision.
    files: dict[str, str] = field(default_factory=dict)
    # How Alembic is called, if with options.
    alembic: dict[str, Any] | None = None

    def add(
        self,
        id: str,
        upgrade: str,
        *,
        after: str | Sequence[str] | None = None,
        more: str = "",
        downgrade: str = "pass",
        indexes: dict[str, list[str]] | None = None,
        blocker: str | None = None,
        breaks: bool = False,
    ) -> Path:
        """Write a revision whose `upgrade` has the given lines, by default after the last one."""
        down = after if after is not None else (self.entries[-1]["id"] if self.entries else ())
        path = self.folder / "alembic" / "versions" / f"{id}.py"
        body = "\n".join(f"    {line}" for line in upgrade.splitlines())
        path.write_text(
            f'"""Title of {id}"""\nfrom alembic import op\nrevision = {id!r}\ndown_revision = {down or None!r}\n'
            f"{more}\ndef upgrade():\n{body}\n\ndef downgrade():\n    {downgrade}\n",
            encoding="utf-8",
        )
        self.entries = [entry for entry in self.entries if entry["id"] != id]
        file = str(path.relative_to(self.folder))
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        sql = {"upgrade": f"sql of {id}", "downgrade": f"downgrade of {id}"}
        entry = {"id": id, "title": f"Title of {id}", "files": {file: sha256}, "sql": sql, "rollbackBlocker": blocker}
        if breaks:
            entry["breaksOlderCode"] = True
        self.entries.append({**entry, "reversible": None, "reversibleReason": "a test's", "indexes": indexes or {}})
        self.heads = [head for head in self.heads if head not in down and head != id] + [id]
        self.review()
        return path

    def file(self, index: int) -> str:
        """Return the path of a revision's file in the image's folder."""
        (path,) = self.entries[index]["files"]
        return str(path)

    def plan_hash(self, image: str, direction: str, start: Sequence[str], *ids: str) -> str:
        """Return the hash of a plan of these revisions."""
        steps = tuple(Revision(**entry) for id in ids for entry in self.entries if entry["id"] == id)
        of_revisions = {file: sha256 for entry in self.entries for file, sha256 in entry["files"].items()}
        files = {**self.files, **of_revisions}
        return plan_hash(image, Plan(direction, frozenset(start), frozenset(), steps, [], 0, "", files))

    def review(self) -> None:
        """Write the reviewed chain."""
        reviewed: dict[str, Any] = {"heads": self.heads, "files": self.files, "revisions": self.entries}
        reviewed["tolerated"] = self.tolerated
        if self.version_table:
            reviewed["versionTable"] = self.version_table
        if self.alembic is not None:
            reviewed["alembic"] = self.alembic
        self.reviewed.write_text(json.dumps(reviewed), encoding="utf-8")


def reviewed(app: Path, folder: Path) -> Chain:
    """Return an app with a lockfile, with its chain written to `folder` as in the ConfigMap."""
    lock = json.loads((app / "migrations.lock.json").read_text(encoding="utf-8"))
    keys = ("id", "title", "reversible", "reversibleReason")
    entries = [
        {**{key: entry[key] for key in keys}, "files": {entry["file"]: entry["sha256"], **entry["files"]}, "sql": {}}
        for entry in lock["revisions"]
    ]
    for entry in entries:
        entry["sql"] = {direction: f"{direction} of {entry['id']}" for direction in ("upgrade", "downgrade")}
    chain = Chain(app, folder / "chain.json", entries, lock["heads"], files=lock["files"])
    chain.review()
    return chain


@dataclass(frozen=True)
class Result:
    """The result of a run."""

    code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


class Run:
    """A process of the runner, killed after `limit` seconds."""

    unfinished: ClassVar[list[Run]] = []

    def __init__(self, command: list[str], environment: dict[str, str], limit: float) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )
        self.lines: list[str] = []
        self.watchdog = threading.Timer(limit, self.process.kill)
        self.watchdog.start()
        self.unfinished.append(self)

    def wait_for(self, pattern: str) -> str:
        """Read the log until a line matches, and return that line."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)
            if re.search(pattern, line):
                return line
        raise AssertionError(f"no line matches {pattern!r}: {self.finish()}")

    def finish(self) -> Result:
        """Wait for the process to end."""
        stdout, stderr = self.process.communicate()
        self.watchdog.cancel()
        if self in self.unfinished:
            self.unfinished.remove(self)
        seconds = time.monotonic() - self.started
        return Result(self.process.returncode, "".join(self.lines) + stdout, stderr, seconds)


def start(mode: str, chain: Chain, url: str | URL | None, *options: str, limit: float = 120, **environment: str) -> Run:
    """Start the runner on a chain, as the container does, from another folder."""
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith(("PG", "DATABASE_URL", "MIGRATION_"))
    }
    variables.update(environment, PYTHONDONTWRITEBYTECODE="1")
    if url is not None:
        variables["DATABASE_URL"] = dsn(url) if isinstance(url, URL) else url
    command = [sys.executable, str(RUNNER), mode, f"--chain={chain.reviewed}", f"--folder={chain.folder}"]
    return Run([*command, "--deadline-seconds=30", *options], variables, limit)


def run(mode: str, chain: Chain, url: str | URL | None, *options: str, **environment: str) -> Result:
    """Run the runner to its end."""
    return start(mode, chain, url, *options, **environment).finish()
