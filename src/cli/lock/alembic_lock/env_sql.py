"""Run env.py online in a process of its own, without a database, to record the SQL that it executes itself."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from runner_dbapi import driver_session
from sqlalchemy import event
from sqlalchemy.dialects import registry
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.util import await_only

from .offline import DUMMY, RenderingLimit, explain, refusals, refuse, refuse_connection
from .recorder import literal, with_values
from .variables import hide, read_by_project, value_in

LIMIT_SECONDS = 30.0
AS_ON_A_SERVER = {
    "server_version_info": (17,),
    "default_schema_name": "public",
    "default_isolation_level": "READ COMMITTED",
    "_backslash_escapes": False,
    "initialize": lambda _: None,
}
"""Attributes that a dialect gets from its first connection."""
IMITATED_DRIVER = "psycopg2"
"""Driver of which SQLAlchemy's dialect needs only the module."""


class EnvRun:
    """A run of env.py that begins now, beside the rendering of the revisions."""

    def __init__(self, config: Config, directory: ScriptDirectory, reads: Callable[[], list[str]]) -> None:
        """Start the process.

        :param reads: Returns the files that this process has read, for the document of the new one.
        """
        self._end = time.monotonic() + LIMIT_SECONDS
        self._output, output = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _run_in_child(config, directory, reads, output)
        os.close(output)

    def finish(self) -> dict[str, Any]:
        """Return `env`, the SQL or why it is not known, and the files and variables that were read."""
        received = b""
        while select.select([self._output], [], [], max(0, self._end - time.monotonic()))[0]:
            part = os.read(self._output, 1 << 16)
            received += part
            if not part:
                break
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._output)
        try:
            return dict(json.loads(received))
        except ValueError:
            return {
                "env": {"sql": None, "reason": f"it timed out after {LIMIT_SECONDS:g}s"},
                "reads": [],
                "variables": [],
            }


def _run_in_child(config: Config, directory: ScriptDirectory, reads: Callable[[], list[str]], output: int) -> NoReturn:
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        document = {"env": _env_sql(config, directory), "reads": reads(), "variables": list(read_by_project)}
        with os.fdopen(output, "w", encoding="utf-8") as file:
            json.dump(document, file)
    finally:
        os._exit(0)


def _env_sql(config: Config, directory: ScriptDirectory) -> dict[str, Any]:
    """Return the fields of the lockfile."""
    statements: list[str] = []
    record(statements)
    try:
        environment = EnvironmentContext(config, directory)
        environment.run_migrations = lambda **_: None  # type: ignore[method-assign]
        with environment:
            directory.run_env()
    except (Exception, SystemExit) as error:
        return _unknown(refusals[0] if refusals else error, directory)
    if refusals:
        return _unknown(refusals[0], directory)
    if any(DUMMY in statement for statement in statements):
        return {"sql": None, "reason": "it contains a part of the database's URL"}
    if name := value_in(statements, Path(directory.env_py_location).read_text(encoding="utf-8")):
        return {"sql": None, "reason": f"it contains the value of the environment variable {name}"}
    return {"sql": statements}


def _unknown(error: BaseException, directory: ScriptDirectory) -> dict[str, Any]:
    return {"sql": None, "reason": hide(explain(error, os.path.abspath(directory.env_py_location)))}


def record(statements: list[str]) -> None:
    """Give each engine of this process a driver's session that adds statements to a list."""

    def connect(dialect: Any, *_: Any) -> Session:
        vars(dialect).update(AS_ON_A_SERVER)
        return Session(dialect, statements)

    def execute(connection: Connection, element: Any, rows: Any, row: Any, *_: Any) -> None:
        session: Any = driver_session(connection)
        # In the dialects of most drivers, a percent sign of a statement is doubled.
        dialect = type(connection.dialect)(paramstyle="named")
        vars(dialect).update(AS_ON_A_SERVER)
        for values in rows or [row or {}]:
            if isinstance(element, str):
                session.add(element, values)
            else:
                session.add(literal(with_values(element, values), dialect), None)
        session.is_recorded = True

    imitate_default_driver()
    event.remove(Engine, "do_connect", refuse_connection)
    event.listen(Engine, "do_connect", connect)
    event.listen(Engine, "before_execute", execute)


def imitate_default_driver() -> None:
    """Make a URL that names no driver, such as the one of `dummy_url`, work if SQLAlchemy's driver is not installed."""
    if importlib.util.find_spec(make_url("postgresql://").get_driver_name()) is not None:
        return
    if importlib.util.find_spec(IMITATED_DRIVER) is None:
        sys.modules[IMITATED_DRIVER] = MissingDriver(IMITATED_DRIVER)
    registry.register("postgresql", f"sqlalchemy.dialects.postgresql.{IMITATED_DRIVER}", "dialect")


class MissingDriver(ModuleType):
    """A driver that is not installed: its module is loaded, but nothing of it is used."""

    __version__ = "2.9.10"
    paramstyle = "pyformat"
    Error = type("Error", (Exception,), {})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return MissingDriver(name)


class Session:
    """A driver's session, whose statements have no result. What SQLAlchemy asks it for besides has no effect."""

    autocommit = False
    notices: tuple[str, ...] = ()

    def __init__(self, dialect: Any, statements: list[str]) -> None:
        self._dialect = dialect
        self._statements = statements
        # Whether the statement that comes next is recorded already, with its values as literals.
        self.is_recorded = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        """Commit, which has no effect."""

    def cursor(self, *_: Any, **__: Any) -> Cursor:
        """Return a cursor."""
        return Cursor(self)

    def add(self, statement: str, values: Any) -> None:
        """Record a statement."""
        if values:
            refuse("passes parameters to the driver", RenderingLimit)
        self._statements.append(f"{statement.strip().rstrip(';')};")

    def send(self, statement: str, values: Any) -> None:
        """Take a statement from a cursor."""
        if self._dialect.is_async:
            await_only(asyncio.sleep(0))  # as SQLAlchemy expects it of an async driver
        if not self.is_recorded:
            self.add(statement, values)
        self.is_recorded = False


class Cursor:
    """A driver's cursor."""

    arraysize = 1
    rowcount = -1
    lastrowid = None

    def __init__(self, session: Session) -> None:
        self.connection = session
        self.description: list[tuple[Any, ...]] | None = None

    def execute(self, statement: str, values: Any = None, **_: Any) -> None:
        """Execute a statement."""
        self.connection.send(statement, values)
        has_rows = statement.lstrip().lower().startswith(("select", "show", "with"))
        self.description = [("value", None, None, None, None, None, None)] if has_rows else None

    executemany = execute

    def _fetch(self, *_: Any) -> NoReturn:
        refuse("reads the result of a statement")

    fetchone = fetchmany = fetchall = __iter__ = _fetch

    def close(self) -> None:
        """Do nothing."""

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
