"""Offline rendering: block connections, and explain why a revision needs a database."""

from __future__ import annotations

import dis
import re
import sys
import traceback
from types import CodeType
from typing import Any, NoReturn

from sqlalchemy import engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import SQLAlchemyError

DEFAULT_SCHEME = "postgresql"
DUMMY = "alembic_offline"
"""User, password, and database of the dummy URL. SQL that contains it is not what runs."""


class NeedsDatabase(Exception):
    """Raised if the revision or env.py needs a database."""


class RenderingLimit(Exception):
    """Raised if the SQL does not depend on a database, but can't be rendered as text."""


refusals: list[NeedsDatabase | RenderingLimit] = []
"""The refusals of the revision that is rendered, which may have caught them."""


def refuse(reason: str, kind: type[NeedsDatabase | RenderingLimit] = NeedsDatabase) -> NoReturn:
    """Refuse what only a database could answer, or what can't be rendered.

    :raises NeedsDatabase: Always, by default.
    :raises RenderingLimit: If it is the kind.
    """
    error = kind(reason)
    refusals.append(error)
    raise error


NO_ANSWER = "bool contains enter format getitem iter len next repr str"
"""Special methods of a result that no statement has offline."""


def no_result() -> Any:
    """Return the result of a statement offline, as an object of SQLAlchemy's class. Any use of it is refused."""
    kind: Any = getattr(engine, "LegacyCursorResult", engine.CursorResult)  # of SQLAlchemy 1.4
    return kind.__new__(kind)


def block_results() -> None:
    """Refuse to read any result: this process has none."""

    def fail(*_: object) -> NoReturn:
        refuse("reads the result of a statement")

    def read(result: Any, name: str) -> Any:
        return object.__getattribute__(result, name) if name.startswith("__") else fail()

    kind: Any = type(no_result())
    kind.__getattribute__ = read
    for name in NO_ANSWER.split():
        setattr(kind, f"__{name}__", fail)


def dummy_url(given: str | None) -> str:
    """Return an unreachable URL (RFC 6761: the domain `.invalid` never resolves) with the dialect of the given one."""
    scheme = given.partition("://")[0] if given and "://" in given else DEFAULT_SCHEME
    return f"{scheme}://{DUMMY}:{DUMMY}@database.invalid/{DUMMY}"


def refuse_connection(*_: Any) -> NoReturn:
    """Refuse to connect."""
    refuse("connects to a database or another host")


def block_connections() -> None:
    """Make every connection through SQLAlchemy, a Python socket, or sqlite3 an error.

    Engines that are created from now on pass no session to their driver, which would reject the one of `env_sql`.
    """

    def audit(name: str, _: tuple[Any, ...]) -> None:
        if name in ("socket.connect", "socket.getaddrinfo", "sqlite3.connect"):
            refuse_connection()

    event.listen(Engine, "do_connect", refuse_connection)
    DefaultDialect.on_connect_url = lambda *_: None  # type: ignore[method-assign, assignment, misc]
    sys.addaudithook(audit)


def explain(error: BaseException, file: str | None) -> str:
    """Return the type and the message of an error, and the line of `file` that caused it.

    The text is the same in every run: without memory addresses, and without links to SQLAlchemy's manual.
    """
    message = _validation(error) or str(error.args[0] if isinstance(error, SQLAlchemyError) and error.args else error)
    message = re.sub(r" at 0x[0-9a-fA-F]+", "", message).strip()
    frames = traceback.extract_tb(error.__traceback__)
    if not message and frames and frames[-1].filename != file:
        message = f"{frames[-1].name}: {frames[-1].line}"
    line = line_in(error, file)
    at = "" if line is None else f" (line {line})"
    return type(error).__name__ + (f": {message}" if message else "") + at


def line_in(error: BaseException, file: str | None) -> int | None:
    """Return the innermost line of a file that led to an error."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if file and frame.filename == file]
    return lines[-1] if lines else None


def _validation(error: BaseException) -> str:
    """Return a line for each error of pydantic's, without the values that its own text has, or nothing."""
    read = getattr(error, "errors", None)
    if type(error).__module__.partition(".")[0] not in ("pydantic", "pydantic_core") or not callable(read):
        return ""
    lines = [f"  {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in read()]
    return "\n".join([f"{len(lines)} validation error{'s' * (len(lines) > 1)}", *lines])


def raised_by(error: BaseException, file: str) -> bool:
    """Return whether a `raise` statement in `file` raised the error, not a function that it calls."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None or last.tb_frame.f_code.co_filename != file:
        return False
    return _instruction(last.tb_frame.f_code, last.tb_lasti) == "RAISE_VARARGS"


def _instruction(code: CodeType, offset: int) -> str:
    return dis.opname[code.co_code[offset]]
