"""Ask Alembic for the chain of the project in the current folder, and for the SQL of each revision.

Usage: python ask_alembic.py [alembic.ini]     (from the folder that holds alembic.ini)

Writes one JSON document to standard output; whatever the project itself prints goes to standard error.
Exits with 3, and one sentence on standard error, when Alembic can't load the chain or run env.py.

The project's own env.py runs once, in Alembic's offline mode, so that its naming conventions and options count.
Inside `context.run_migrations()` each revision's upgrade and downgrade is called with Alembic's own `op`, for
exactly that revision; Alembic's bookkeeping of `alembic_version` isn't part of this and so isn't in the SQL.
No connection is made: see `unity_lock/offline.py`.

Needs Python 3.9, Alembic 1.8 and SQLAlchemy 1.4, or later.
"""

from __future__ import annotations

import json
import os
import re
import sys
import warnings
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any

import alembic.context
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.script import Script, ScriptDirectory
from unity_lock.offline import NeedsDatabase, dummy_url, explain, refuse_connections
from unity_lock.recorder import Recorder, Rendering

CREATE_DATE = re.compile(r"^Create Date:\s*(.+?)\s*$", re.MULTILINE)
"""The line that Alembic's template `script.py.mako` puts into a revision's docstring."""


class RenderingContext(EnvironmentContext):
    """Alembic's environment, with the run of the migrations replaced by the rendering of every revision."""

    rendered: dict[str, dict[str, Any]]
    runs = 0
    rendering = False

    def configure(self, *args: Any, **options: Any) -> None:
        """As env.py asks, but with values written into the SQL: placeholders would not be the statement that runs."""
        options["literal_binds"] = True
        options["dialect_opts"] = {**(options.get("dialect_opts") or {}), "paramstyle": "named"}
        options["output_buffer"] = StringIO()
        super().configure(*args, **options)

    def is_offline_mode(self) -> bool:
        """True for env.py; a revision that asks does something else against a database than it would show here."""
        if self.rendering:
            raise NeedsDatabase("it asks whether it runs offline, so that its SQL here is not what a database gets")
        return True

    def run_migrations(self, **options: Any) -> None:
        """Render every revision instead of running them; `options` are what env.py hands to each upgrade()."""
        self.runs += 1
        self.rendering = True
        try:
            with Operations.context(self.get_context()):
                recorder = Recorder(self.get_context())
                self.rendered = {script.revision: _render(script, recorder, options) for script in _walk(self.script)}
        finally:
            self.rendering = False


# What alembic/context.py does for EnvironmentContext: `from alembic import context` in env.py is this class too.
RenderingContext.create_module_class_proxy(vars(alembic.context), vars(alembic.context))


def _walk(directory: ScriptDirectory) -> list[Script]:
    return list(directory.walk_revisions())


def _render(script: Script, recorder: Recorder, options: dict[str, Any]) -> dict[str, Any]:
    upgrade = recorder.render(script, "upgrade", options)
    downgrade = recorder.render(script, "downgrade", options)
    reversible, reason = _reversible(upgrade, downgrade)
    return {
        "tables": upgrade.tables,
        "upgrade": upgrade.as_json(),
        "downgrade": downgrade.as_json(),
        "reversible": reversible,
        "reversibleReason": reason,
    }


def _reversible(upgrade: Rendering, downgrade: Rendering) -> tuple[bool | None, str | None]:
    """Whether a revision can be undone; None if only a database could tell."""
    if downgrade.refused:
        return False, f"the downgrade refuses: {downgrade.reason}"
    if downgrade.sql is None:
        return None, f"the downgrade can't be rendered without a database: {downgrade.reason}"
    if not downgrade.sql and upgrade.sql != []:
        return False, "the downgrade does nothing"
    return True, None


def _names(value: str | Iterable[str] | None) -> list[str]:
    """Alembic accepts None, one name, or several, for what refers to revisions and labels."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else sorted(value)


def _describe(script: Script, directory: ScriptDirectory, root: Path) -> dict[str, Any]:
    date = CREATE_DATE.search(script.module.__doc__ or "")
    depends_on = [directory.get_revision(name) for name in _names(script.dependencies)]
    return {
        "id": script.revision,
        "downRevisions": _names(script.down_revision),
        "dependsOn": sorted(revision.revision for revision in depends_on if revision is not None),
        "branchLabels": _names(getattr(script.module, "branch_labels", None)),
        "title": script.doc,
        "date": date.group(1) if date else None,
        "file": _relative(script.path, root),
    }


def _relative(path: str | Path, root: Path) -> str:
    return Path(os.path.relpath(Path(path).resolve(), root)).as_posix()


def ask(ini: str) -> dict[str, Any]:
    """Return the chain as Alembic sees it, with the rendered SQL of each revision."""
    config = Config(ini)
    url = dummy_url(os.environ.get("DATABASE_URL"))
    os.environ["DATABASE_URL"] = url
    if not config.get_main_option("sqlalchemy.url"):
        config.set_main_option("sqlalchemy.url", url)
    refuse_connections()
    with warnings.catch_warnings():
        # Alembic only warns of these, and goes on with a chain that isn't the one in the files.
        warnings.filterwarnings("error", r"Revision .* (is present more than once|referenced from)")
        directory = ScriptDirectory.from_config(config)
        scripts = _walk(directory)
    environment = RenderingContext(config, directory, as_sql=True)
    with environment:
        directory.run_env()
    if environment.runs != 1:
        raise RuntimeError(
            f"env.py calls context.run_migrations() {environment.runs} times in offline mode; the lock needs exactly "
            "one call: render one database's chain, and don't leave env.py early"
        )
    root = Path.cwd().resolve()
    locations = directory.version_locations or [os.path.join(directory.dir, "versions")]
    return {
        "versionLocations": sorted({_relative(location, root) for location in locations}),
        "heads": sorted(directory.get_heads()),
        "bases": sorted(directory.get_bases()),
        "revisions": [
            {**_describe(script, directory, root), **environment.rendered[script.revision]} for script in scripts
        ],
    }


def main() -> int:
    """Keep standard output for the answer, ask, and write it."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        result = ask(sys.argv[1] if len(sys.argv) > 1 else "alembic.ini")
    except (Exception, SystemExit) as error:
        print(f"\n{explain(error, None)}", file=sys.stderr)
        return 3
    with answer:
        json.dump(result, answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
