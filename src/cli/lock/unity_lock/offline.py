"""What keeps the rendering away from any database, and what explains a revision that needs one."""

from __future__ import annotations

import dis
import re
import sys
import traceback
from types import CodeType
from typing import Any, NoReturn

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

DEFAULT_SCHEME = "postgresql"


class NeedsDatabase(Exception):
    """The revision or env.py asks for what only a database can give."""


class NoResult:
    """What a statement returns offline: every use of it is an error, where Alembic's own None may pass unnoticed."""

    def _refuse(self, *_: object) -> NoReturn:
        raise NeedsDatabase("it reads the result of a statement")

    __bool__ = __iter__ = __len__ = __getitem__ = __contains__ = _refuse

    def __getattr__(self, name: str) -> NoReturn:
        self._refuse()


def dummy_url(given: str | None) -> str:
    """
    Return a URL that names a dialect and no database (the domain `.invalid` never resolves, RFC 6761).

    The scheme of `given` is kept, since it decides on the dialect; its host, user and password play no part.
    """
    scheme = given.partition("://")[0] if given and "://" in given else DEFAULT_SCHEME
    return f"{scheme}://offline:offline@database.invalid/offline"


def refuse_connections() -> None:
    """Make every connection through SQLAlchemy, a Python socket or sqlite3 an error, from now on."""

    def refuse(*_: Any) -> NoReturn:
        raise NeedsDatabase("it connects to a database or another host")

    def audit(name: str, _: tuple[Any, ...]) -> None:
        if name in ("socket.connect", "socket.getaddrinfo", "sqlite3.connect"):
            refuse()

    event.listen(Engine, "do_connect", refuse)
    sys.addaudithook(audit)


def explain(error: BaseException, file: str | None) -> str:
    """
    Return type and message of `error`, and the line of `file` that led to it.

    The same text in every run: no address in memory, no link to a version of SQLAlchemy's manual.
    """
    message = str(error.args[0] if isinstance(error, SQLAlchemyError) and error.args else error)
    message = re.sub(r" at 0x[0-9a-fA-F]+", "", message).strip()
    frames = traceback.extract_tb(error.__traceback__)
    if not message and frames and frames[-1].filename != file:
        message = f"{frames[-1].name}: {frames[-1].line}"
    lines = [frame.lineno for frame in frames if file and frame.filename == file]
    at = f" (line {lines[-1]})" if lines else ""
    return type(error).__name__ + (f": {message}" if message else "") + at


def raised_by(error: BaseException, file: str) -> bool:
    """Whether a `raise` statement in `file` itself made `error`, not something it called."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None or last.tb_frame.f_code.co_filename != file:
        return False
    return _instruction(last.tb_frame.f_code, last.tb_lasti) == "RAISE_VARARGS"


def _instruction(code: CodeType, offset: int) -> str:
    return dis.opname[code.co_code[offset]]
