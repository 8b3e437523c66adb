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
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic_lock.chain import RenderedChain
from alembic_lock.context import RenderingContext
from alembic_lock.env_sql import EnvRun
from alembic_lock.offline import NeedsDatabase, block_connections, dummy_url, explain, refusals
from alembic_lock.places import Places
from alembic_lock.probes import LOAD, MOST_MISSING, PLACEHOLDER, Search, find_missing
from alembic_lock.reads import Reads
from alembic_lock.recorder import Recorder
from alembic_lock.settings import invalid_settings
from alembic_lock.statements import keep_order
from alembic_lock.variables import given, hide, missing, note_lookups, read_by_project
from runner_config import AlembicCall, load_config

# From here on, imports resolve as for `alembic`: not to the runner's folder.
sys.path.remove(str(Path(inspect.getfile(AlembicCall)).parent))


def prepare(call: AlembicCall) -> tuple[Config, ScriptDirectory]:
    """Block connections, and return what Alembic needs to run env.py."""
    url = dummy_url(os.environ.get("DATABASE_URL"))
    os.environ["DATABASE_URL"] = url
    block_connections()
    try:
        config = load_config(call)
    except NeedsDatabase as error:
        raise NeedsDatabase(f"{error}, while the Flask application is loaded") from error
    refusals.clear()  # those that the Flask application has caught: they are not of env.py
    # As it is written: env.py may set what it refers to, such as %(DB_USER)s.
    if not config.file_config.get(config.config_ini_section, "sqlalchemy.url", raw=True, fallback=""):
        config.set_main_option("sqlalchemy.url", url)
    keep_order()
    return config, ScriptDirectory.from_config(config)


def render_chain(call: AlembicCall) -> RenderedChain:
    """Return the chain with the SQL of each revision."""
    config, directory = prepare(call)
    reads = Reads(directory)
    env_run = EnvRun(config, directory, lambda: reads.paths(None))
    environment = RenderingContext(config, directory, as_sql=True)
    with env_run, environment, warnings.catch_warnings():
        # Alembic only warns about these, and continues with a chain that differs from the files. It reads the files
        # after env.py, which may set other folders.
        warnings.filterwarnings("error", r"Revision .* (is present more than once|referenced from)")
        directory.run_env()
        env = env_run.finish()
    if environment.runs != 1:
        raise RuntimeError(
            f"env.py calls context.run_migrations() {environment.runs} times in offline mode, expected exactly one call"
        )
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


def load(call: AlembicCall) -> Iterator[list[str]]:
    """Return the missing variables known so far, after each attempt to load the project with placeholders for them.

    All attempts are in this process: they import again only the modules whose import failed.
    """
    RenderingContext.probing = True
    names: list[str] = []
    found = True
    while found and len(names) < MOST_MISSING:
        found = False
        try:
            config, directory = prepare(call)
            with RenderingContext(config, directory, as_sql=True):
                directory.run_env()
        except (Exception, SystemExit) as error:
            new = [name for name in missing(error) if name not in names]
            names += new
            os.environ.update(dict.fromkeys(new, PLACEHOLDER))
            found = bool(new)
        yield names


def render_again(call: AlembicCall) -> Any:
    """Return what was rendered, or the error and its variables."""
    Recorder.repeats = False
    try:
        return {"rendered": render_chain(call).parts()}
    except (Exception, SystemExit) as error:
        return {"error": f"{error!r}\n{error}", "fields": invalid_settings(error)}


def main() -> int:
    """Write the chain to standard output, and redirect all other output to standard error."""
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    content, mode = json.loads(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
    call, environment = AlembicCall.of(content), dict(os.environ)
    note_lookups()
    if mode == LOAD:
        for names in load(call):
            print(json.dumps(names), file=output, flush=True)
        return 0
    if mode is not None:
        result, code = json.dumps(render_again(call)), 0
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
