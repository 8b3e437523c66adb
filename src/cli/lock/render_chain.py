"""Render the chain of the Alembic project in the current folder, with the SQL of each revision.

Usage: python render_chain.py [alembic.ini]     (in the folder of alembic.ini)

Writes one JSON document to standard output; the project's own output goes to standard error. Exits with 3 and a message
on standard error if Alembic can't load the chain or run env.py.

The project's env.py runs once, in Alembic's offline mode, so its naming conventions and options apply. Inside
`context.run_migrations()`, the upgrade and the downgrade of each revision are called with Alembic's `op`. Statements on
`alembic_version` are not part of the SQL. No connection is opened: see `unity_lock/offline.py`. A revision that asks
whether it is rendered gets the answers of an online run: see `unity_lock/online.py`.

Requires Python 3.9, Alembic 1.8, and SQLAlchemy 1.4, or later.
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
from unity_lock.env_sql import EnvRun
from unity_lock.offline import block_connections, dummy_url, explain
from unity_lock.online import answer_as_online
from unity_lock.reads import Reads
from unity_lock.recorder import Recorder, Rendering, keep_order

CREATE_DATE = re.compile(r"^Create Date:\s*(.+?)\s*$", re.MULTILINE)
"""A line of the docstring in Alembic's template `script.py.mako`."""


class RenderingContext(EnvironmentContext):
    """Alembic's environment, which renders the revisions instead of running them."""

    rendered: dict[str, dict[str, Any]]
    max_id_length: int | None = None
    """The length of the version table's column, None if it has no limit, or if env.py changes it."""
    runs = 0
    rendering = False

    def configure(self, *args: Any, **options: Any) -> None:
        """Apply env.py's options, but render values instead of placeholders, as in the statements that run."""
        options["literal_binds"] = True
        options["dialect_opts"] = {**(options.get("dialect_opts") or {}), "paramstyle": "named"}
        options["output_buffer"] = StringIO()
        super().configure(*args, **options)

    def is_offline_mode(self) -> bool:
        """Return True to env.py, and False to a revision, as when it is applied."""
        return not self.rendering

    def run_migrations(self, **options: Any) -> None:
        """Render all revisions.

        :param options: The arguments that env.py passes to each upgrade().
        """
        self.runs += 1
        if "version_num" not in self.context_opts["output_buffer"].getvalue():
            self.max_id_length = getattr(self.get_context()._version.c.version_num.type, "length", None)
        self.rendering = True
        try:
            with Operations.context(self.get_context()):
                recorder = Recorder(self.get_context())
                answer_as_online(self.get_context(), self)
                scripts = self.script.walk_revisions()
                self.rendered = {script.revision: _render(script, recorder, options) for script in scripts}
        finally:
            self.rendering = False


# As alembic/context.py does for EnvironmentContext, so that `from alembic import context` in env.py uses this class.
RenderingContext.create_module_class_proxy(vars(alembic.context), vars(alembic.context))


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


def _describe(script: Script, directory: ScriptDirectory, root: Path, reads: Reads) -> dict[str, Any]:
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
        "files": reads.by(script.path, root),
    }


def _relative(path: str | Path, root: Path) -> str:
    return Path(os.path.relpath(Path(path).resolve(), root)).as_posix()


def render_chain(ini: str) -> dict[str, Any]:
    """Return the chain with the SQL of each revision."""
    config = Config(ini)
    url = dummy_url(os.environ.get("DATABASE_URL"))
    os.environ["DATABASE_URL"] = url
    if not config.get_main_option("sqlalchemy.url"):
        config.set_main_option("sqlalchemy.url", url)
    sys.argv = ["alembic", "upgrade", "head"]  # as when the revisions are applied
    block_connections()
    keep_order()
    directory = ScriptDirectory.from_config(config)
    root = Path.cwd().resolve()
    reads = Reads(directory)
    env_run = EnvRun(config, directory, lambda: reads.by(None, root))
    environment = RenderingContext(config, directory, as_sql=True)
    with environment, warnings.catch_warnings():
        # Alembic only warns about these, and continues with a chain that differs from the files. It reads the files
        # after env.py, which may set other folders.
        warnings.filterwarnings("error", r"Revision .* (is present more than once|referenced from)")
        directory.run_env()
    if environment.runs != 1:
        raise RuntimeError(
            f"env.py calls context.run_migrations() {environment.runs} times in offline mode, expected exactly one "
            "call for one database"
        )
    env = env_run.finish()
    reads.add(env["reads"], root)
    if any(each["upgrade"]["sql"] is None or each["reversible"] is None for each in environment.rendered.values()):
        reads.add_all(root)  # its rendering stopped before its end
    locations = directory.version_locations or [os.path.join(directory.dir, "versions")]
    folders = sorted({_relative(location, root) for location in locations})
    if not environment.rendered:
        raise RuntimeError(
            f"no revisions in {', '.join(folders)}: set version_locations in alembic.ini, which Alembic reads before "
            "env.py, or create the first revision. Run: npm run unity -- revision -m <title>"
        )
    return {
        "versionLocations": folders,
        "heads": sorted(directory.get_heads()),
        "bases": sorted(directory.get_bases()),
        "maxIdLength": environment.max_id_length,
        "files": reads.by(None, root),
        "env": env["env"],
        "revisions": [
            {**_describe(script, directory, root, reads), **environment.rendered[script.revision]}
            for script in directory.walk_revisions()
        ],
    }


def main() -> int:
    """Write the chain to standard output, and redirect all other output to standard error."""
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        result = render_chain(sys.argv[1] if len(sys.argv) > 1 else "alembic.ini")
    except (Exception, SystemExit) as error:
        print(f"\n{explain(error, None)}", file=sys.stderr)
        return 3
    with output:
        json.dump(result, output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
