"""Environment variables of the project: which are missing, and that none gets into the lockfile.

A variable has another value when the revisions are applied. One that a revision reads makes its SQL unknown, and so
does one whose value is part of its SQL. Values in files such as `.env` count, too.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import unquote, urlsplit

from runner_files import STANDARD_LIBRARY, is_dotenv, is_installed

from .offline import RenderingLimit, refuse
from .settings import all_settings, fields_pattern, invalid_settings, variables_of

SHORTEST = 4
"""Characters of the shortest value that is searched for: shorter ones are often words by chance."""
LONG = 6
"""Characters from which a value is searched for within words, too, and even if it is a number."""

WORDS = ("true", "false", "null", "none")
"""Values that are not searched for."""

OWN_READS = ("alembic", "asyncpg", "dotenv", "mako", "pg8000", "psycopg", "psycopg2", "pydantic", "pydantic_core")
"""Packages whose reads don't concern the SQL, and pydantic, which reads all variables: those of its fields count."""
EXPANDERS = ("ntpath", "posixpath", "string")
"""Modules of Python that replace variables in a text of the project."""
SYSTEM = re.compile(
    r"DATABASE_URL|FLASK_(APP|DEBUG|ENV|SKIP_DOTENV)|HOME|LANG(UAGE)?|(LC|LD)_.*|PATH|PYTHON.*|TMPDIR|TZ|VIRTUAL_ENV"
)
"""Variables without which Python, or the project, may not be found, and Flask's own."""

ASSIGNMENT = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*"""
    r"""(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(.*?))[ \t]*(?:(?<=\s)#.*)?$""",
    re.MULTILINE,
)
"""A variable of a file such as `.env`: its name, and its value in single, double, or no quotes."""

LOOKUPS = ("os", "_collections_abc", "collections.abc")
"""Modules of `os.getenv` and `os.environ.get`, the latter with the name of either."""

looked_up: set[str] = set()
"""The variables that were looked up by name."""
read_by_project: dict[str, None] = {}
"""The variables that the project or its packages have read, in this order."""
dotenv: dict[str, list[tuple[str, str]]] = {}
"""The names and values in each file such as `.env` that was opened."""
initial: dict[str, str] = {}
"""The variables of the process, also those that the project removes."""
loaded: dict[str, str] = {}
"""The first variable that each file reads, except while a revision is rendered."""
revision: list[str] = []
"""The file of the revision that is rendered, if any."""


class Variables(type(os.environ)):  # type: ignore[misc]
    """The environment variables, which note what is looked up."""

    def __getitem__(self, key: str) -> str:
        """Return a variable.

        :raises RenderingLimit: If a revision reads it.
        """
        caller = sys._getframe(1)
        # Not of all variables, nor of b"PATH", which Python looks up to find a program.
        if caller.f_code.co_name != "__iter__" and isinstance(key, str):
            looked_up.add(key)
        while caller.f_back is not None and caller.f_globals.get("__name__") in LOOKUPS:
            caller = caller.f_back
        if revision and key == "DATABASE_URL":
            refuse("reads DATABASE_URL")
        file = caller.f_code.co_filename
        if revision and (file in revision or not is_installed(file)):
            refuse(f"reads the environment variable {key}", RenderingLimit)
        loaded.setdefault(caller.f_code.co_filename, key)
        if not _is_own(caller):
            read_by_project[key] = None
        return str(super().__getitem__(key))


def note_lookups() -> None:
    """Note from now on which variables are looked up, and which files such as `.env` are opened."""
    initial.update(os.environ)
    os.environ.__class__ = Variables
    sys.addaudithook(_note_file)


def _note_file(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or isinstance(arguments[0], int):
        return
    path = os.path.abspath(os.fsdecode(arguments[0]))
    is_read_as_one = str(sys._getframe(1).f_globals.get("__name__")).partition(".")[0] == "dotenv"
    if path in dotenv or not (is_dotenv(path) or is_read_as_one) or not os.path.isfile(path):
        return
    dotenv[path] = []  # before it is opened here, too
    with suppress(OSError):
        found = ASSIGNMENT.findall(Path(path).read_text(encoding="utf-8", errors="replace"))
        dotenv[path] = [(name, "".join(quoted)) for name, *quoted in found]


@contextmanager
def refused_in(file: str) -> Iterator[None]:
    """Refuse that the revision of a file reads variables."""
    revision.append(file)
    try:
        yield
    finally:
        revision.clear()


def _is_own(frame: FrameType) -> bool:
    """Return whether a variable is read for Python, for SQLAlchemy and the like, or for the lock."""
    package, file = str(frame.f_globals.get("__name__")).partition(".")[0], frame.f_code.co_filename
    if package in (*OWN_READS, "sqlalchemy", "pydantic_settings", "alembic_lock", "__main__"):
        return True
    is_python = file.startswith("<frozen") or os.path.realpath(file).startswith(STANDARD_LIBRARY)
    return is_python and "-packages" not in file and package not in EXPANDERS


def given() -> dict[str, str | None]:
    """Return the variables that the project reads, but for the system's, with their values; None without one."""
    fields = fields_pattern()
    of_files = dict(pair for pairs in dotenv.values() for pair in pairs)
    known = {**of_files, **initial}
    of_fields = [name for name in known if fields.fullmatch(name)]
    set_fields = {name.upper() for name in of_fields}
    every = [name for settings in all_settings() for name in variables_of(settings).values()]
    unset_fields = [name for name in every if name.upper() not in set_fields]
    names = [*read_by_project, *of_fields, *of_files, *unset_fields]
    return {name: known.get(name) for name in dict.fromkeys(names) if not SYSTEM.fullmatch(name)}


def values() -> list[tuple[str, str]]:
    """Return the values that the project has got, and their parts, each with the name of its variable."""
    return _values(len(looked_up), len(dotenv))


@lru_cache(maxsize=1)
def _values(*_: int) -> list[tuple[str, str]]:
    fields = fields_pattern()
    names = [name for name in {**initial, **dict.fromkeys(os.environ)} if name in looked_up or fields.fullmatch(name)]
    got = [(name, os.environ.get(name, initial.get(name, ""))) for name in names if name != "DATABASE_URL"]
    got += [pair for pairs in dotenv.values() for pair in pairs]
    found = dict.fromkeys((name, part) for name, value in got for part in _parts(value))
    return [(name, part) for name, part in found if _is_searched(part)]


def _is_searched(value: str) -> bool:
    return len(value) >= (LONG if value.isdigit() else SHORTEST) and value.lower() not in WORDS


def _parts(value: str) -> Iterator[str]:
    """Return a value, the user and the password if it is a URL, and the texts if it is JSON."""
    yield value
    with suppress(ValueError):
        url = urlsplit(value)
        if url.scheme and url.netloc:
            yield from {part for text in (url.username, url.password) if text for part in (text, unquote(text))}
    with suppress(ValueError):
        yield from _texts(json.loads(value))


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, (dict, list)):
        for part in content.values() if isinstance(content, dict) else content:
            yield from _texts(part)


def value_in(statements: list[str], source: str) -> str | None:
    """Return the name of a variable whose value is in the statements but not in their source, or None."""
    text = "\n".join(statements)
    for name, value in values():
        if value in text and _word(value).search(text) and value not in source:
            return name
    return None


def _word(value: str) -> re.Pattern[str]:
    if len(value) >= LONG:
        return re.compile(re.escape(value))
    return re.compile(rf"(?<!\w){re.escape(value)}(?!\w)")


def hide(text: str) -> str:
    """Return the text with the names of variables in place of their values."""
    for name, value in sorted(values(), key=lambda item: -len(item[1])):
        text = _word(value).sub(lambda _, name=name: f"${name}", text)
    return text


def missing(error: BaseException) -> list[str]:
    """Return the variables whose absence an error names.

    They are those that were looked up without a result and that the message names, and the required fields of
    pydantic's settings.
    """
    unset = [name for name in sorted(looked_up) if name not in os.environ]
    named = [name for name in unset if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", str(error))]
    return [*named, *invalid_settings(error, ("missing", "value_error.missing"))]
