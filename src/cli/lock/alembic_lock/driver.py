"""A driver without a database: its sessions record statements, which have no result."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from types import ModuleType
from typing import Any, NoReturn

from runner_dbapi import driver_session
from sqlalchemy import event
from sqlalchemy.dialects import registry
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.util import await_only

from .offline import RenderingLimit, refuse, refuse_connection
from .statements import literal, with_values

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


def has_default_driver() -> bool:
    """Return whether the driver is installed that SQLAlchemy uses for a URL that names none."""
    return importlib.util.find_spec(make_url("postgresql://").get_driver_name()) is not None


def imitate_default_driver() -> None:
    """Make a URL that names no driver, such as the one of `dummy_url`, work if SQLAlchemy's driver is not installed."""
    if has_default_driver():
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
