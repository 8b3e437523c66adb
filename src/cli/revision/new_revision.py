"""Create a revision file in the Alembic project of the current folder, like `alembic revision` and `alembic merge`.

Usage: python new_revision.py TITLE [--rev-id ID] [--merge]     (in the folder of alembic.ini)

Writes one JSON document to standard output: the previous heads and the created revision, or null if there are several
heads, or only one with --merge. Exits with 3 and a message on standard error if Alembic can't load the chain or write
the file.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import redirect_stdout
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory


def create(title: str, rev_id: str | None, merge: bool) -> dict[str, Any]:
    """Create a revision after the only head, or a merge revision after all heads."""
    config = Config("alembic.ini")
    directory = ScriptDirectory.from_config(config)
    heads = sorted(directory.get_heads())
    paths = {script.revision: script.path for script in directory.walk_revisions()}
    if rev_id in paths:
        raise ValueError(f"revision id {rev_id} already exists in {os.path.relpath(paths[rev_id])}")
    if (len(heads) > 1) != merge:
        return {"heads": heads, "created": None}
    if merge:
        script = command.merge(config, "heads", message=title, rev_id=rev_id)
    else:
        script = command.revision(config, message=title, rev_id=rev_id)
    if not isinstance(script, Script):
        raise RuntimeError("Alembic did not create exactly one file")
    return {"heads": heads, "created": {"revision": script.revision, "file": os.path.relpath(script.path)}}


def main() -> int:
    """Write the result to standard output, and redirect all other output to standard error."""
    parser = argparse.ArgumentParser()
    parser.add_argument("title")
    parser.add_argument("--rev-id")
    parser.add_argument("--merge", action="store_true")
    arguments = parser.parse_args()
    try:
        with redirect_stdout(sys.stderr):
            result = create(arguments.title, arguments.rev_id, arguments.merge)
    except (Exception, SystemExit) as error:
        print(f"\n{type(error).__name__}: {error}", file=sys.stderr)
        return 3
    json.dump(result, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
