"""Run env.py online in a process of its own, without a database, to record the SQL that it executes itself."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from .driver import record
from .offline import DUMMY, explain, refusals
from .variables import hide, read_by_project, value_in

LIMIT_SECONDS = 30.0


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

    def __enter__(self) -> None:
        """Begin to wait for the process."""

    def __exit__(self, *_: object) -> None:
        """End the process, also after an error of the rendering."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._output)

    def finish(self) -> dict[str, Any]:
        """Return `env`, the SQL or why it is not known, and the files and variables that were read."""
        received = b""
        while select.select([self._output], [], [], max(0, self._end - time.monotonic()))[0]:
            part = os.read(self._output, 1 << 16)
            received += part
            if not part:
                break
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
