"""Mode `status`: where the database and the image are, as JSON; nothing is changed."""

from __future__ import annotations

import json
import sys
from typing import Any

from runner_chain import Chain
from runner_database import Database, compare, verify_image
from runner_failures import Refusal
from runner_task import Task

PENDING = 3
"""Exit code: revisions are pending."""
PROBLEM = 1
"""Exit code: a person has to decide, as with a revision that the image does not know."""


def status(task: Task) -> int:
    """Prints one line of JSON, and nothing else, on stdout.

    `current`: rows of `alembic_version`; `heads`: what the release declares; `pending`: what the database lacks of it,
    base first, null if that can't be told; `imageHeads`: the image's; `matchesImage`: whether the image holds the
    reviewed files; `problem`: what a person has to decide, or null.

    :returns: The exit code: 0, or one of this file.
    """
    found = look(task.database, task.chain)
    print(json.dumps(found, ensure_ascii=False), file=sys.__stdout__, flush=True)
    if found["problem"]:
        return PROBLEM
    return PENDING if found["pending"] else 0


def look(database: Database, chain: Chain) -> dict[str, Any]:
    """What `status` prints."""
    found = {
        "current": sorted(database.current()),
        "heads": sorted(chain.heads),
        "pending": None,
        "imageHeads": sorted(database.script.get_heads()),
        "matchesImage": False,
        "problem": None,
    }
    try:
        verify_image(database, chain)
        found["matchesImage"] = True
        found["pending"] = [revision.id for revision in compare(database, chain)[1]]
    except Refusal as refusal:
        found["problem"] = str(refusal)
    return found
