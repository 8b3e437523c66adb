"""The files that revisions and env.py read or import, besides the revision files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from alembic.script import ScriptDirectory
from runner_files import BYTECODE, FileWatch, unreviewable

from .places import Places

UNREAD = ("README", "script.py.mako")
"""Files that `alembic init` creates, and that no migration reads."""


def file_hash(path: str | Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


class Reads:
    """The files below the script folder that are read or imported from now on."""

    def __init__(self, directory: ScriptDirectory) -> None:
        # With the revision file that reads each; None for modules, which several may import, and for what those read.
        self._paths: set[tuple[str | None, str]] = set()
        self._watch = FileWatch(directory, self._add)

    def _add(self, path: str, revision: str | None, is_import: bool) -> None:
        is_setting = revision is None and os.path.basename(path).startswith(".")  # of this machine, such as .env
        if not is_setting:
            self._paths.add((None if is_import else revision, path))

    def verify(self) -> None:
        """Reject files that can't be reviewed.

        :raises RuntimeError: With all of them.
        """
        paths = sorted({os.path.relpath(path) for _, path in self._paths if path.endswith(BYTECODE)})
        if paths:
            raise RuntimeError("\n".join(map(unreviewable, paths)))

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

    def add_all(self, root: Path) -> None:
        """Add every other file: a revision whose rendering stops at a query may read any of them afterwards.

        :param root: The app's folder. If it is the script folder, or in it, only the folders of revisions are searched.
        """
        known = {os.path.realpath(path) for _, path in self._paths}
        for folder in map(Path, self._watch.folders):
            if root.is_relative_to(folder):
                continue
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
