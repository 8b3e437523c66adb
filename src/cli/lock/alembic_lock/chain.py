"""The rendered chain, and its fields of the lockfile."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from alembic.config import Config
from alembic.script import Script, ScriptDirectory

from .context import RenderingContext
from .places import Places
from .reads import Reads, file_hash
from .recorder import Rendering, depends
from .variables import given, value_in

CREATE_DATE = re.compile(r"^Create Date:\s*(.+?)\s*$", re.MULTILINE)
"""A line of the docstring in Alembic's template `script.py.mako`."""


class RenderedChain:
    """The chain with the SQL of each revision."""

    def __init__(
        self,
        config: Config,
        directory: ScriptDirectory,
        environment: RenderingContext,
        reads: Reads,
        env: dict[str, Any],
    ) -> None:
        self._config = config
        self._directory = directory
        self._environment = environment
        self._reads = reads
        self._env = env
        table = [each for each in environment.version_table.values() if each is not None]
        env_py = Path(directory.env_py_location).read_text(encoding="utf-8")
        if (name := value_in(table, env_py)) is not None:
            reject_table([name])

    def parts(self) -> dict[str, Any]:
        """Return what may depend on environment variables, by its name; None if it is not known."""
        parts = {"version table": self._environment.version_table, "env": self._env["sql"]}
        for id, directions in self._environment.rendered.items():
            parts.update({f"{direction} {id}": rendering.sql for direction, rendering in directions.items()})
        return parts

    def mark(self, dependencies: dict[str, list[str]]) -> None:
        """Replace the SQL that depends on environment variables by the reason why it is not known.

        :raises RuntimeError: If the version table depends on the value of one.
        """
        if table := [name for name in dependencies.get("version table", []) if given()[name] is not None]:
            reject_table(table)
        if "env" in dependencies:
            self._env = {"sql": None, "reason": depends(dependencies["env"])}
        for id, directions in self._environment.rendered.items():
            for direction, rendering in directions.items():
                if names := dependencies.get(f"{direction} {id}"):
                    directions[direction] = rendering.depending_on(names)

    def as_json(self) -> dict[str, Any]:
        """Return the fields of the lockfile."""
        rendered = {id: _as_json(**directions) for id, directions in self._environment.rendered.items()}
        if any(each["upgrade"]["sql"] is None or each["reversible"] is None for each in rendered.values()):
            self._reads.add_all()  # its rendering stopped before its end
        places, directory, reads = Places(self._config, self._directory), self._directory, self._reads
        return {
            "versionLocations": places.version_locations(),
            "versionTable": self._environment.version_table,
            "heads": sorted(directory.get_heads()),
            "bases": sorted(directory.get_bases()),
            "maxIdLength": self._environment.max_id_length,
            "files": reads.by(None, places),
            "env": self._env,
            "lines": {id: directions["upgrade"].lines for id, directions in self._environment.rendered.items()},
            "revisions": [
                {**_describe(script, directory, places, reads), **rendered[script.revision]}
                for script in directory.walk_revisions()
            ],
        }


def reject_table(variables: list[str]) -> NoReturn:
    """Reject a version table that depends on environment variables.

    :raises RuntimeError: Always.
    """
    raise RuntimeError(
        f"env.py takes the version table from the environment variable {', '.join(variables)}, which may have another "
        "value in the Job. The lockfile records the table. Write its name and schema in env.py, or pass them on with "
        "-x <argument>, which the lockfile records, too."
    )


def _as_json(upgrade: Rendering, downgrade: Rendering) -> dict[str, Any]:
    reversible, reason = _reversible(upgrade, downgrade)
    return {
        "tables": upgrade.tables,
        "upgrade": upgrade.as_json(),
        "downgrade": downgrade.as_json(),
        "reversible": reversible,
        "reversibleReason": reason,
    }


def _reversible(upgrade: Rendering, downgrade: Rendering) -> tuple[bool | None, str | None]:
    """Return whether a revision is reversible, or None if that takes a database to know, and why it is not."""
    if downgrade.unsupported:
        return False, f"the downgrade is not supported: {downgrade.reason}"
    if downgrade.sql is None:
        return None, f"the downgrade's SQL is not known: {downgrade.reason}"
    if not downgrade.sql and upgrade.sql != []:
        return False, "the downgrade does nothing"
    return True, None


def _names(value: str | Iterable[str] | None) -> list[str]:
    """Return a list, where Alembic accepts None, one name, or several."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else sorted(value)


def _describe(script: Script, directory: ScriptDirectory, places: Places, reads: Reads) -> dict[str, Any]:
    date = CREATE_DATE.search(script.module.__doc__ or "")
    depends_on = [directory.get_revision(name) for name in _names(script.dependencies)]
    return {
        "id": script.revision,
        "downRevisions": _names(script.down_revision),
        "dependsOn": sorted(revision.revision for revision in depends_on if revision is not None),
        "branchLabels": _names(getattr(script.module, "branch_labels", None)),
        "title": script.doc,
        "date": date.group(1) if date else None,
        "file": places.name(script.path),
        "sha256": file_hash(script.path),
        "files": reads.by(script.path, places),
    }
