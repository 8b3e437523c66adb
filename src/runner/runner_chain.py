"""The reviewed chain, as the release brings it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from runner_failures import Refusal


@dataclass(frozen=True)
class Revision:
    """A revision as the reviewed lock records it, under the lock's own names."""

    id: str
    title: str
    file: str
    sha256: str
    # Tells its SQL apart, in the plan's hash.
    sql: str
    # None if only a database could tell.
    reversible: bool | None
    # Why it is not true.
    reversibleReason: str | None


@dataclass(frozen=True)
class Chain:
    """The reviewed chain, base first."""

    heads: frozenset[str]
    revisions: tuple[Revision, ...]
    # Revisions of later releases that this one declares it can run on.
    tolerated: frozenset[str]

    def find(self, id: str) -> Revision:
        """The revision of that id.

        :raises Refusal: if there is none, naming those there are.
        """
        for revision in self.revisions:
            if revision.id == id:
                return revision
        raise Refusal(f"the chain has no revision {id}; it has {', '.join(each.id for each in self.revisions)}.")

    @staticmethod
    def read(path: Path) -> Chain:
        """Reads the file that the release brings."""
        reviewed = json.loads(path.read_text(encoding="utf-8"))
        revisions = tuple(Revision(**revision) for revision in reviewed["revisions"])
        return Chain(frozenset(reviewed["heads"]), revisions, frozenset(reviewed.get("tolerated", [])))
