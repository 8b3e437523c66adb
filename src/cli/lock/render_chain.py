"""Render the chain of the Alembic project in the current folder, with the SQL of each revision.

Usage: python render_chain.py ALEMBIC [MODE]     (JSON of the lockfile's `alembic`; in the app's folder)

Writes one JSON document to standard output; the project's own output goes to standard error. Exits with 3 and a message
on standard output if Alembic can't load the chain or run env.py.

The project's env.py runs once, in Alembic's offline mode, so its naming conventions and options apply. Inside
`context.run_migrations()`, the upgrade and the downgrade of each revision are called with Alembic's `op`. Statements on
the version table are not part of the SQL. No connection is opened: see `alembic_lock/offline.py`. A revision that asks
whether it is rendered gets the answers of an online run: see `alembic_lock/online.py`.

With a MODE of `alembic_lock/probes.py`, it writes what that module needs to know of a rendering with other environment
variables.

Requires Python 3.9, Alembic 1.8, and SQLAlchemy 1.4, or later.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import sys
import warnings
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any, NoReturn

import alembic.context
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.script import Script, ScriptDirectory
from alembic_lock.env_sql import EnvRun
from alembic_lock.offline import block_connections, dummy_url, explain
from alembic_lock.online import answer_as_online
from alembic_lock.places import Places
from alembic_lock.probes import LOAD, Search, find_missing
from alembic_lock.reads import Reads, file_hash
from alembic_lock.recorder import Recorder, Rendering, depends, keep_order
from alembic_lock.variables import given, hide, invalid_settings, missing, note_lookups, read_by_project, value_in
from runner_config import SEVERAL_DATABASES, AlembicCall, load_config

# From here on, imports resolve as for `alembic`: not to the runner's folder.
sys.path.remove(str(Path(inspect.getfile(AlembicCall)).parent))

CREATE_DATE = re.compile(r"^Create Date:\s*(.+?)\s*$", re.MULTILINE)
"""A line of the docstring in Alembic's template `script.py.mako`."""


class Loaded(Exception):
    """Ends env.py once it has configured the migration context."""


class RenderingContext(EnvironmentContext):
    """Alembic's environment, which renders the revisions instead of running them."""

    rendered: dict[str, dict[str, Rendering]]
    version_table: dict[str, str | None]
    max_id_length: int | None = None
    """The length of the version table's column, None if it has no limit, or if env.py changes it."""
    is_configured = False
    runs = 0
    probing = False

    def configure(self, *args: Any, **options: Any) -> None:
        """Apply env.py's options, but render values instead of placeholders, as in the statements that run.

        :raises RuntimeError: On the second call, as in the runner.
        """
        if self.is_configured:
            raise RuntimeError(SEVERAL_DATABASES)
        self.is_configured = True
        options["literal_binds"] = True
        options["dialect_opts"] = {**(options.get("dialect_opts") or {}), "paramstyle": "named"}
        options["output_buffer"] = StringIO()
        super().configure(*args, **options)

    def is_offline_mode(self) -> bool:
        """Return True to env.py. A revision finds Alembic's class, whose answer is that of an online run."""
        return True

    def run_migrations(self, **options: Any) -> None:
        """Render all revisions.

        :param options: The arguments that env.py passes to each upgrade().
        """
        if self.probing:
            raise Loaded
        self.runs += 1
        if "version_num" not in self.context_opts["output_buffer"].getvalue():
            self.max_id_length = getattr(self.get_context()._version.c.version_num.type, "length", None)
        context = self.get_context()
        self.version_table = {"schema": context.version_table_schema, "name": context.version_table}
        try:
            with Operations.context(self.get_context()):
                recorder = Recorder(self.get_context())
                answer_as_online(self.get_context(), self)
                scripts = self.script.walk_revisions()
                self.rendered = {script.revision: _render(script, recorder, options) for script in scripts}
        finally:
            self.__class__ = RenderingContext


# As alembic/context.py does for EnvironmentContext, so that `from alembic import context` in env.py uses this class.
RenderingContext.create_module_class_proxy(vars(alembic.context), vars(alembic.context))


def _render(script: Script, recorder: Recorder, options: dict[str, Any]) -> dict[str, Rendering]:
    return {
        "upgrade": recorder.render(script, "upgrade", options),
        "downgrade": recorder.render(script, "downgrade", options),
    }


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


def render_chain(call: AlembicCall) -> RenderedChain:
    """Return the chain with the SQL of each revision."""
    url = dummy_url(os.environ.get("DATABASE_URL"))
    os.environ["DATABASE_URL"] = url
    block_connections()
    config = load_config(call)
    # As it is written: env.py may set what it refers to, such as %(DB_USER)s.
    if not config.file_config.get(config.config_ini_section, "sqlalchemy.url", raw=True, fallback=""):
        config.set_main_option("sqlalchemy.url", url)
    keep_order()
    directory = ScriptDirectory.from_config(config)
    reads = Reads(directory)
    env_run = EnvRun(config, directory, lambda: reads.paths(None))
    environment = RenderingContext(config, directory, as_sql=True)
    with environment, warnings.catch_warnings():
        # Alembic only warns about these, and continues with a chain that differs from the files. It reads the files
        # after env.py, which may set other folders.
        warnings.filterwarnings("error", r"Revision .* (is present more than once|referenced from)")
        directory.run_env()
    if environment.runs != 1:
        raise RuntimeError(
            f"env.py calls context.run_migrations() {environment.runs} times in offline mode, expected exactly one call"
        )
    env = env_run.finish()
    reads.add(env["reads"])
    read_by_project.update(dict.fromkeys(env["variables"]))
    reads.verify()
    if not environment.rendered:
        folders = ", ".join(Places(config, directory).version_locations())
        raise RuntimeError(
            f"no revisions in {folders}: set version_locations in alembic.ini, which Alembic reads before "
            "env.py, or create the first revision: pulumi-alembic revision -m <title>"
        )
    return RenderedChain(config, directory, environment, reads, env["env"])


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
        if (name := value_in(table, env_py)) is not None and not RenderingContext.probing:
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


def probe(call: AlembicCall, mode: str) -> Any:
    """Return the document of a mode: the missing variables, or what was rendered, or the error and its variables."""
    RenderingContext.probing, Recorder.repeats = mode == LOAD, False
    try:
        rendered = render_chain(call).parts()
        return [] if mode == LOAD else {"rendered": rendered}
    except (Exception, SystemExit) as error:
        if mode == LOAD:
            return missing(error)
        return {"error": f"{error!r}\n{error}", "fields": invalid_settings(error)}


def main() -> int:
    """Write the chain to standard output, and redirect all other output to standard error."""
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    content, mode = json.loads(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
    call, environment = AlembicCall.of(content), dict(os.environ)
    note_lookups()
    if mode is not None:
        result, code = json.dumps(probe(call, mode)), 0
    else:
        try:
            chain = render_chain(call)
            chain.mark(Search(content, environment, chain.parts()).run(given()))
            result, code = json.dumps(chain.as_json()), 0
        except (Exception, SystemExit) as error:
            result, code = describe(error, find_missing(content, missing(error), environment)), 3
    with output:
        output.write(result)
    return code


def describe(error: BaseException, lacking: list[str]) -> str:
    """Return the message of an error, with all environment variables that are missing, and no value of another one."""
    message = hide(explain(error, None))
    if not lacking:
        return message
    return (
        f"missing environment variables: {', '.join(lacking)}\n{message}\n"
        "Set them for this command to any values that the project accepts; they are not recorded."
    )


if __name__ == "__main__":
    sys.exit(main())
