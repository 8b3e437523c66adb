"""The database as the image's own Alembic sees it, and what the reviewed chain says of both."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationStep
from alembic.script import ScriptDirectory
from runner_chain import Chain, Revision
from runner_failures import Refusal
from runner_words import REBUILD, names


class Database:
    """The database as the image's own Alembic sees it."""

    def __init__(self) -> None:
        self.config = Config("alembic.ini")
        self.script = ScriptDirectory.from_config(self.config)

    def _run(self, steps: Any, **options: Any) -> None:
        with EnvironmentContext(self.config, self.script, fn=steps, **options):
            self.script.run_env()

    def current(self) -> frozenset[str]:
        """The rows of `alembic_version`; none is a database that was never migrated."""
        found: set[str] = set()

        def look(current: tuple[str, ...], _context: Any) -> list[Any]:
            found.update(current)
            return []

        self._run(look, dont_mutate=True)
        return frozenset(found)

    def lineage(self, revision: str) -> frozenset[str]:
        """`revision` and all that it builds on, dependencies on other branches included."""
        return frozenset(step.revision for step in self.script.iterate_revisions(revision, "base"))

    def upgrade(self, revision: str) -> None:
        """Applies `revision`, whose predecessors are applied."""
        # Alembic documents this method for callers of EnvironmentContext, its underscore notwithstanding.
        self._run(lambda current, _context: self.script._upgrade_revs(revision, current), destination_rev=revision)

    def downgrade(self, revision: str) -> None:
        """Undoes `revision`, on which nothing builds that is applied."""
        script = self.script.get_revision(revision)
        step = MigrationStep.downgrade_from_script(self.script.revision_map, script)
        self._run(lambda _current, _context: [step], destination_rev=script.down_revision or "base")


def verify_image(database: Database, chain: Chain) -> None:
    """Compares the image's revisions with the reviewed chain.

    :raises Refusal: naming what differs.
    """
    for revision in chain.revisions:
        path = Path(revision.file)
        if not path.is_file():
            raise Refusal(f"the image lacks {revision.file} of revision {revision.id}: {REBUILD}.")
        if hashlib.sha256(path.read_bytes()).hexdigest() != revision.sha256:
            raise Refusal(f"the image's {revision.file} is not the reviewed one of revision {revision.id}: {REBUILD}.")
    heads = frozenset(database.script.get_heads())
    if heads != chain.heads:
        raise Refusal(f"the image's head is {names(heads)}, but the release declares {names(chain.heads)}: {REBUILD}.")


def compare(database: Database, chain: Chain) -> tuple[frozenset[str], list[Revision]]:
    """Where the database is, and what is pending, base first.

    :raises Refusal: if `alembic_version` holds what Alembic would not have written.
    """
    current = database.current()
    if foreign := current - {revision.id for revision in chain.revisions}:
        if len(current) == 1 and foreign <= chain.tolerated:
            return current, []
        mend = "deploy an image that has it, or restore the database"
        raise Refusal(f"the database is at {names(foreign)}, which this image does not know: {mend}.")
    lineages = {row: database.lineage(row) for row in current}
    if doubled := frozenset(row for row in current if any(row in lineages[other] for other in current - {row})):
        mend = "delete the rows that are too many, after a look at the tables"
        raise Refusal(f"alembic_version holds {names(current)}, but {names(doubled)} is implied by the rest: {mend}.")
    applied = frozenset().union(*lineages.values())
    return current, [revision for revision in chain.revisions if revision.id not in applied]
