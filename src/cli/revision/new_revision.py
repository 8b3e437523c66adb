"""Make a new revision file in the project of the current folder, as `alembic revision` and `alembic merge` do.

Usage: python new_revision.py TITLE [--rev-id ID] [--merge]     (from the folder that holds alembic.ini)

Writes one JSON document to standard output: the chain's heads before, and the revision that was made; None if the heads
don't fit, because there are several, or with --merge only one. Exits with 3, and one sentence on standard error, when
Alembic can't load the chain or write the file.
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


def make(title: str, rev_id: str | None, merge: bool) -> dict[str, Any]:
    """Let Alembic make the revision on the chain's only head, or on all of its heads with `merge`."""
    config = Config("alembic.ini")
    directory = ScriptDirectory.from_config(config)
    heads = sorted(directory.get_heads())
    taken = {script.revision: script.path for script in directory.walk_revisions()}
    if rev_id in taken:
        raise ValueError(f"{rev_id} is the id of {os.path.relpath(taken[rev_id])}")
    if (len(heads) > 1) != merge:
        return {"heads": heads, "made": None}
    if merge:
        made = command.merge(config, "heads", message=title, rev_id=rev_id)
    else:
        made = command.revision(config, message=title, rev_id=rev_id)
    if not isinstance(made, Script):
        raise RuntimeError("Alembic made no file, or several")
    return {"heads": heads, "made": {"revision": made.revision, "file": os.path.relpath(made.path)}}


def main() -> int:
    """Keep standard output for the answer: Alembic and the project print there, too."""
    parser = argparse.ArgumentParser()
    parser.add_argument("title")
    parser.add_argument("--rev-id")
    parser.add_argument("--merge", action="store_true")
    given = parser.parse_args()
    try:
        with redirect_stdout(sys.stderr):
            answer = make(given.title, given.rev_id, given.merge)
    except (Exception, SystemExit) as error:
        print(f"\n{type(error).__name__}: {error}", file=sys.stderr)
        return 3
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
