"""What the runner says, and how."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

say = partial(print, flush=True)

REBUILD = "build the image from the reviewed tree"


def quote(identifier: object) -> str:
    """An identifier as SQL has it."""
    return '"' + str(identifier).replace('"', '""') + '"'


def names(revisions: Iterable[str]) -> str:
    """Revisions for people; none is a database without any."""
    return ", ".join(sorted(revisions)) or "no revision"
