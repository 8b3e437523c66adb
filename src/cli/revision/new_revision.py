"""Create a revision file in the Alembic project of the current folder, like `alembic revision` and `alembic merge`.

Usage: python new_revision.py ALEMBIC TITLE [--rev-id ID] [--merge | --sql FILE]     (JSON of the lockfile's `alembic`;
in the app's folder; the file is {"upgrade": [statements], "downgrade": [statements]})

Writes one JSON document to standard output: the previous heads and the created revision, or null if there are several
heads, or only one with --merge. Exits with 3 and a message on standard output if Alembic can't load the chain or
write the file.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from alembic import command
from alembic.script import Script, ScriptDirectory
from alembic.util import coerce_resource_to_filename, rev_id
from runner_config import AlembicCall, load_config

# From here on, imports resolve as for `alembic`: not to the runner's folder.
sys.path.remove(str(Path(inspect.getfile(AlembicCall)).parent))


def create(
    call: AlembicCall, title: str, given_id: str | None, merge: bool, sql: dict[str, list[str]] | None
) -> dict[str, Any]:
    """Create a revision after the only head, or a merge revision after all heads.

    :param sql: Statements of its upgrade and its downgrade.
    """
    # A Flask application reads it when it is loaded. No connection is opened.
    os.environ.setdefault("DATABASE_URL", "postgresql://database.invalid/unity")
    config = load_config(call)
    directory = ScriptDirectory.from_config(config)
    reject_installed(directory)
    heads = sorted(directory.get_heads())
    paths = {script.revision: script.path for script in directory.walk_revisions()}
    if given_id in paths:
        raise ValueError(f"revision id {given_id} already exists in {os.path.relpath(paths[given_id])}")
    if (len(heads) > 1) != merge:
        return {"heads": heads, "created": None}
    if merge:
        script = command.merge(config, "heads", message=title, rev_id=given_id)
    elif sql is not None:
        # As `alembic revision --autogenerate` fills the template.
        bodies = {f"{name}s": operations(statements) for name, statements in sql.items()}
        script = directory.generate_revision(given_id or rev_id(), title, config=config, imports="", **bodies)
    else:
        script = command.revision(config, message=title, rev_id=given_id)
    if not isinstance(script, Script):
        raise RuntimeError("Alembic did not create exactly one file")
    if sql is not None and "op.execute(" not in Path(script.path).read_text(encoding="utf-8"):
        os.unlink(script.path)
        raise RuntimeError("script.py.mako has no ${upgrades} and ${downgrades}")
    return {"heads": heads, "created": {"revision": script.revision, "file": os.path.relpath(script.path)}}


def operations(statements: list[str]) -> str:
    """Return the body of a function that executes statements, indented except for its first line."""
    return "\n    ".join(f"op.execute({literal(statement)})" for statement in statements) or "pass"


def literal(statement: str) -> str:
    """Return a statement as a Python literal for SQLAlchemy's `text`, in which `:word` is a parameter."""
    sql = re.sub(r"(?<![:\w]):(?=\w)", r"\\:", statement)
    if "\n" not in sql:
        return json.dumps(sql, ensure_ascii=False)
    escaped = sql.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return '"""' + (escaped[:-1] + '\\"' if escaped.endswith('"') else escaped) + '"""'


def reject_installed(directory: ScriptDirectory) -> None:
    """Reject a folder of installed packages, where the file would not be part of the project.

    :raises ValueError: If the revisions are in one.
    """
    for location in directory.version_locations or [os.path.join(directory.dir, "versions")]:
        folder = Path(coerce_resource_to_filename(location))
        if {"site-packages", "dist-packages"} & set(folder.parts):
            raise ValueError(
                f"the revisions are in an installed package, {folder}. Install it as editable: in requirements.txt, "
                "replace its path by -e <path>"
            )


def main() -> int:
    """Write the result to standard output, and redirect all other output to standard error."""
    parser = argparse.ArgumentParser()
    parser.add_argument("alembic")
    parser.add_argument("title")
    parser.add_argument("--rev-id")
    parser.add_argument("--merge", action="store_true")
    parser.add_argument("--sql", type=Path)
    arguments = parser.parse_args()
    try:
        with redirect_stdout(sys.stderr):
            call = AlembicCall.of(json.loads(arguments.alembic))
            sql = json.loads(arguments.sql.read_text(encoding="utf-8")) if arguments.sql else None
            result = create(call, arguments.title, arguments.rev_id, arguments.merge, sql)
    except (Exception, SystemExit) as error:
        print(f"{type(error).__name__}: {error}")
        return 3
    json.dump(result, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
