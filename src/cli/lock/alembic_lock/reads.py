"""The files that revisions and env.py read or import, besides the revision files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from alembic.script import ScriptDirectory
from runner_files import BYTECODE, FileWatch, Read, is_dotenv, unreviewable

from .places import Places

UNREAD = ("README", "script.py.mako")
"""Files that `alembic init` creates, and that no migration reads."""

OF_MACHINE = (
    "whose variables differ between machines, so that it can't be reviewed. Read them in env.py, or pass what "
    "determines the schema with -x <argument>"
)


def file_hash(path: str | Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


class Reads:
    """The files below the script folder that are read or imported from now on."""

    def __init__(self, directory: ScriptDirectory) -> None:
        # With the revision file that reads each; None for modules, which several may import, and for what those read.
        self._paths: set[tuple[str | None, str]] = set()
        # Why files can't be locked.
        self._rejected: dict[str, None] = {}
        self._watch = FileWatch(directory, self._add)

    def _add(self, read: Read) -> None:
        if is_dotenv(read.path):
            is_needed = read.is_direct or (self._watch.is_closed(read.path) and not read.is_import)
            if read.revision is not None and is_needed:
                reader, file = (os.path.relpath(path) for path in (read.revision, read.path))
                self._rejected[f"{reader} reads {file}, {OF_MACHINE}"] = None
        elif self._watch.includes(read.path) and (read.revision or not os.path.basename(read.path).startswith(".")):
            self._paths.add((None if read.is_import else read.revision, read.path))

    def verify(self) -> None:
        """Reject files that can't be reviewed.

        :raises RuntimeError: With all of them.
        """
        bytecode = sorted({os.path.relpath(path) for _, path in self._paths if path.endswith(BYTECODE)})
        if rejected := [*self._rejected, *map(unreviewable, bytecode)]:
            raise RuntimeError("\n".join(rejected))

    def paths(self, reader: str | Path | None) -> list[str]:
        """Return the files that a revision file reads; with None, those that belong to no single revision."""
        key = None if reader is None else os.path.abspath(reader)
        return [path for each, path in self._paths if each == key and os.path.isfile(path)]

    def by(self, reader: str | Path | None, places: Places) -> dict[str, str]:
        """Return the SHA-256 of each of these files by its name in the lockfile."""
        return dict(sorted((places.name(path), file_hash(path)) for path in self.paths(reader)))

    def add(self, paths: Iterable[str]) -> None:
        """Add files that another process has read, and that belong to no single revision."""
        self._paths.update((None, path) for path in paths)

    def add_all(self) -> None:
        """Add every other file: a revision whose rendering stops at a query may read any of them afterwards."""
        known = {os.path.realpath(path) for _, path in self._paths}
        for folder in map(Path, self._watch.folders):
            for path in sorted(folder.rglob("*")):
                is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
                if (
                    is_hidden
                    or path.name in UNREAD
                    or "__pycache__" in path.parts
                    or not self._watch.includes(str(path))
                ):
                    continue
                if os.path.realpath(path) not in known:
                    known.add(os.path.realpath(path))
                    self._paths.add((None, str(path)))
