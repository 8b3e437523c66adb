"""The files below the script folder that revisions and env.py read or import, as Python's audit events report them.

The lock records them with their hashes, and the runner rejects others. Bytecode is not used, so that Python compiles
the source, which was reviewed. Files that are read without Python, such as by a program that a revision starts, have no
event.

A script folder that contains the app's folder contains everything: there, only Python modules and the folders of
revisions count.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import sysconfig
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from types import FrameType
from typing import Any, Callable

from alembic.script import ScriptDirectory
from alembic.util import coerce_resource_to_filename

REVISION = re.compile(r"(?!\.#|__init__).*\.py")
"""Names of the files that Alembic loads as revisions."""
DOTENV = re.compile(r"\.(flask)?env(rc)?(\..+)?|(.+\.)?env")
"""Names of files with environment variables."""
EXCLUDED = re.compile(r"/(site|dist)-packages/")
"""Folders of an environment below the script folder."""
BYTECODE = ".pyc"
STANDARD_LIBRARY = os.path.join(os.path.realpath(sysconfig.get_paths()["stdlib"]), "")
DESCRIPTORS = "/proc/self/fd"
"""The folder with the open files of the process, on Linux."""


@dataclass(frozen=True)
class Read:
    """A file that is read."""

    # Absolute path. That of bytecode only if it has no source.
    path: str
    # The revision file whose code is running, if any.
    revision: str | None
    # Whether it is read while a module is imported.
    is_import: bool
    # Whether only Python and installed packages are between the revision's code and the read.
    is_direct: bool


class FileWatch:
    """Reports the files that are read from now on: below the folders of a script directory, and such as `.env`."""

    def __init__(self, script: ScriptDirectory, report: Callable[[Read], None]) -> None:
        """Start to watch.

        :param report: Receives what is read. An error that it raises is that of the read.
        """
        self._script = script
        self._app = os.path.realpath(os.curdir)
        self._report = report
        self._is_recursive = bool(getattr(script, "recursive_version_locations", False))
        sys.addaudithook(self._audit)

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of which every file counts: the script folder and those of revisions, without the app's."""
        return tuple(folder for folder in self._all if not _contains(folder, self._app))

    @property
    def _all(self) -> tuple[str, ...]:
        return (*_both_forms(os.fspath(self._script.dir)), *self._versions)

    @property
    def _versions(self) -> tuple[str, ...]:
        # As Alembic reads them after env.py, which may set others.
        locations = self._script.version_locations or [os.path.join(self._script.dir, "versions")]
        return tuple(form for location in locations for form in _both_forms(os.fspath(location)))

    def includes(self, path: str) -> bool:
        """Return whether a path is that of a file that counts, but is not a revision.

        :param path: Absolute path.
        """
        return self._watches(path) and os.path.isfile(path) and not self.is_revision(path)

    def is_closed(self, path: str) -> bool:
        """Return whether a path is in a folder of which every file counts.

        :param path: Absolute path.
        """
        return _is_in(path, self.folders)

    def _watches(self, path: str) -> bool:
        return self.is_closed(path) or (path.endswith((".py", BYTECODE)) and _is_in(path, self._all))

    def is_revision(self, path: str) -> bool:
        """Return whether Alembic loads a file as a revision.

        :param path: Absolute path.
        """
        folder, name = os.path.split(path)
        if not REVISION.fullmatch(name):
            return False
        versions = self._versions
        return folder in versions or (self._is_recursive and _is_below(folder, versions))

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            # A number is the descriptor of a file that is open.
            if not isinstance(path, int) and flags & (os.O_WRONLY | os.O_RDWR) != os.O_WRONLY:
                for each in _paths(os.fsdecode(path), may_be_in_folder=mode is None):
                    self._read(each)
        elif event == "import" and arguments[1]:  # of a compiled module
            self._read(os.path.abspath(os.fsdecode(arguments[1])))

    def _read(self, path: str) -> None:
        if path.endswith(BYTECODE):
            source = _source(path)
            if self._watches(source) and os.path.isfile(source):
                raise OSError(f"{path} is not used, because it may differ from {source}")
        if not _is_below(path, self._all):
            path = os.path.realpath(path)
        if self.includes(path) or (is_dotenv(path) and os.path.isfile(path)):
            self._report(self._reader(path, sys._getframe(2)))

    def _reader(self, path: str, frame: FrameType) -> Read:
        read = self._find(path, frame)
        if read.revision is not None:
            return read
        # Unless this is a thread that a revision uses.
        others = [each for thread, each in sys._current_frames().items() if thread != threading.get_ident()]
        found = [self._find(path, each).revision for each in others]
        return replace(read, revision=next((each for each in found if each is not None), None))

    def _find(self, path: str, innermost: FrameType) -> Read:
        frame: FrameType | None = innermost
        is_import, is_direct = False, True
        while frame is not None:
            name = frame.f_code.co_filename
            is_import = is_import or name.startswith("<frozen importlib")
            if name.endswith(".py") and self.is_revision(os.path.abspath(name)):
                return Read(path, os.path.abspath(name), is_import, is_direct)
            is_direct = is_direct and is_installed(name)
            frame = frame.f_back
        return Read(path, None, is_import, is_direct=False)


def _paths(path: str, *, may_be_in_folder: bool) -> Iterator[str]:
    """Return the absolute paths that a path may mean: `os.open` may start at a folder whose descriptor it gets."""
    yield os.path.abspath(path)
    if may_be_in_folder and not os.path.isabs(path) and os.path.isdir(DESCRIPTORS):
        links = [os.path.join(DESCRIPTORS, each) for each in os.listdir(DESCRIPTORS)]
        yield from [os.path.join(os.path.realpath(link), path) for link in links if os.path.isdir(link)]


def unreviewable(bytecode: str) -> str:
    """Return the error of bytecode without its source."""
    return f"{bytecode} is bytecode without its source, which can't be reviewed. Add {_source(bytecode)}"


def _source(bytecode: str) -> str:
    try:
        return importlib.util.source_from_cache(bytecode)
    except (ValueError, NotImplementedError):  # it is beside its source, not in __pycache__
        return bytecode[:-1]


def is_installed(file: str) -> bool:
    """Return whether code is of Python or of an installed package.

    :param file: Its path, as frames name it.
    """
    parts = os.path.realpath(file).split(os.sep)
    is_package = "site-packages" in parts or "dist-packages" in parts
    return is_package or file.startswith("<") or os.path.realpath(file).startswith(STANDARD_LIBRARY)


def is_dotenv(path: str) -> bool:
    """Return whether a file has environment variables, by its name, such as `.env` or `.env.local`."""
    return DOTENV.fullmatch(os.path.basename(path)) is not None


@lru_cache
def _both_forms(location: str) -> tuple[str, ...]:
    """Return a folder as it is given, and with its symbolic links resolved."""
    folder = coerce_resource_to_filename(location)
    return tuple(dict.fromkeys([os.path.abspath(folder), os.path.realpath(folder)]))


@lru_cache
def _contains(folder: str, app: str) -> bool:
    """Return whether a folder is the app's, or contains it."""
    return os.path.join(app, "").startswith(os.path.join(os.path.realpath(folder), ""))


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(path.startswith(os.path.join(folder, "")) for folder in folders)


def _is_in(path: str, folders: Iterable[str]) -> bool:
    """Return whether a path is below one of the folders, but not in an environment there."""
    folder = next((folder for folder in folders if _is_below(path, [folder])), None)
    return folder is not None and not EXCLUDED.search(path, len(folder))
