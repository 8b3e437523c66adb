"""The reviewed chain, as the release brings it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Revision:
    """A revision as the reviewed lock records it."""

    id: str
    title: str
    file: str
    sha256: str


@dataclass(frozen=True)
class Chain:
    """The reviewed chain, base first."""

    heads: frozenset[str]
    revisions: tuple[Revision, ...]
    # Revisions of later releases that this one declares it can run on.
    tolerated: frozenset[str]

    @staticmethod
    def read(path: Path) -> Chain:
        """Reads the file that the release brings."""
        reviewed = json.loads(path.read_text(encoding="utf-8"))
        revisions = tuple(Revision(**revision) for revision in reviewed["revisions"])
        return Chain(frozenset(reviewed["heads"]), revisions, frozenset(reviewed.get("tolerated", [])))
