"""Names of files that are the same on every machine, and that lead to the files in the image."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import coerce_resource_to_filename
from runner_config import package_folders

SITE = ("site-packages", "dist-packages")
"""Names of the folders with installed packages."""


class Places:
    """Names files as the lockfile does: relative to the current folder, or, in a package, as `package:path`.

    A package is one that the configuration names, wherever it is installed, or any one that is installed.
    """

    def __init__(self, config: Config, directory: ScriptDirectory) -> None:
        self._root = Path.cwd().resolve()
        read = getattr(config, "get_alembic_option", config.get_main_option)  # pyproject.toml since Alembic 1.16
        self._locations = [str(each) for each in directory.version_locations or [Path(directory.dir, "versions")]]
        named = [place for place in [str(read("script_location")), *self._locations] if _is_resource(place)]
        packages = dict.fromkeys(place.partition(":")[0] for place in named)
        self._packages = [(each, folder.resolve()) for each in packages for folder in package_folders(each)]

    def name(self, path: str | Path) -> str:
        """Return the name of a file or folder."""
        resolved = Path(path).resolve()
        for package, folder in [*self._packages, *_installed(resolved)]:
            if resolved.is_relative_to(folder):
                return f"{package}:{resolved.relative_to(folder).as_posix()}"
        return Path(os.path.relpath(resolved, self._root)).as_posix()

    def version_locations(self) -> list[str]:
        """Return the folders with revision files."""
        return sorted({self.name(coerce_resource_to_filename(location)) for location in self._locations})


def _is_resource(location: str) -> bool:
    """Return whether Alembic takes a location for one in a package."""
    return ":" in location and not os.path.isabs(location)


def _installed(path: Path) -> Iterator[tuple[str, Path]]:
    """Return the top-level package that contains a path, if it is installed."""
    for entry in sys.path:
        site = Path(entry).resolve()
        if Path(entry).name in SITE and path.is_relative_to(site) and len(path.relative_to(site).parts) > 1:
            package = path.relative_to(site).parts[0]
            yield package, site / package
