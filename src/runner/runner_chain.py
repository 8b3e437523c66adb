"""The reviewed chain of revisions, and how the image and the database compare with it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from runner_database import Database
from runner_errors import FatalError
from runner_output import format_revisions

REBUILD = "Rebuild the image from the reviewed tree."


@dataclass(frozen=True)
class Revision:
    """A revision, with the field names of the lockfile."""

    id: str
    title: str
    file: str
    sha256: str
    # Hash of the revision's SQL, for the plan's hash.
    sql: str
    # None if that takes a database to know.
    reversible: bool | None
    # Why `reversible` is not true.
    reversibleReason: str | None


@dataclass(frozen=True)
class Chain:
    """The revisions of the lockfile, base first."""

    heads: frozenset[str]
    revisions: tuple[Revision, ...]
    # Revisions of later releases that this release can run on.
    tolerated: frozenset[str]

    @staticmethod
    def read(path: Path) -> Chain:
        """Read the JSON file of the ConfigMap."""
        content = json.loads(path.read_text(encoding="utf-8"))
        revisions = tuple(Revision(**revision) for revision in content["revisions"])
        return Chain(frozenset(content["heads"]), revisions, frozenset(content.get("tolerated", [])))

    def find(self, id: str) -> Revision:
        """Return a revision by its id.

        :raises FatalError: If the chain has no such revision.
        """
        for revision in self.revisions:
            if revision.id == id:
                return revision
        raise FatalError(f"unknown revision {id}; known revisions: {', '.join(each.id for each in self.revisions)}")


def verify_image(database: Database, chain: Chain) -> None:
    """Compare the image's revision files with the chain.

    :raises FatalError: At the first difference.
    """
    for revision in chain.revisions:
        path = Path(revision.file)
        if not path.is_file():
            raise FatalError(f"{revision.file} of revision {revision.id} is missing from the image. {REBUILD}")
        if hashlib.sha256(path.read_bytes()).hexdigest() != revision.sha256:
            raise FatalError(
                f"{revision.file} of revision {revision.id} differs between the image and the lockfile. {REBUILD}"
            )
    heads = database.heads()
    if heads != chain.heads:
        raise FatalError(
            f"the image's head is {format_revisions(heads)}, expected {format_revisions(chain.heads)}. {REBUILD}"
        )


def find_pending(database: Database, chain: Chain) -> tuple[frozenset[str], list[Revision]]:
    """Return the rows of `alembic_version` and the pending revisions, base first.

    :raises FatalError: If a row is not in the chain, or is an ancestor of another row.
    """
    current = database.current()
    if unknown := current - {revision.id for revision in chain.revisions}:
        if len(current) == 1 and unknown <= chain.tolerated:
            return current, []
        raise FatalError(
            f"the database is at {format_revisions(unknown)}, which this image does not contain. Deploy an image that "
            "contains it, or restore the database."
        )
    lineages = {row: database.lineage(row) for row in current}
    if redundant := frozenset(row for row in current if any(row in lineages[other] for other in current - {row})):
        raise FatalError(
            f"alembic_version has overlapping revisions: {format_revisions(current)}. Check the tables, then delete "
            f"the redundant rows: {format_revisions(redundant)}."
        )
    applied = frozenset().union(*lineages.values())
    return current, [revision for revision in chain.revisions if revision.id not in applied]
