"""The database, accessed through the image's own Alembic."""

from __future__ import annotations

from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import text


class Database:
    """The database, accessed through the env.py of the current folder."""

    # The schema where env.py's sessions create tables, once `current` has run; None without one in their path.
    schema: str | None = None

    def __init__(self) -> None:
        self.config = Config("alembic.ini")
        self.script = ScriptDirectory.from_config(self.config)

    def _run(self, steps: Any, **options: Any) -> None:
        with EnvironmentContext(self.config, self.script, fn=steps, **options):
            self.script.run_env()

    def heads(self) -> frozenset[str]:
        """Return the heads of the image's revision files."""
        return frozenset(self.script.get_heads())

    def current(self) -> frozenset[str]:
        """Return the rows of `alembic_version`, none if the database was never migrated."""
        rows: set[str] = set()

        def read(current: tuple[str, ...], context: Any) -> list[Any]:
            rows.update(current)
            self.schema = context.connection.scalar(text("SELECT pg_catalog.current_schema()"))
            return []

        self._run(read, dont_mutate=True)
        return frozenset(rows)

    def lineage(self, revision: str) -> frozenset[str]:
        """Return a revision with all its ancestors, including dependencies on other branches."""
        return frozenset(step.revision for step in self.script.iterate_revisions(revision, "base"))

    def upgrade(self, revision: str) -> None:
        """Apply a revision whose ancestors are applied."""
        # Despite its underscore, Alembic documents this method for callers of EnvironmentContext.
        self._run(lambda current, _context: self.script._upgrade_revs(revision, current), destination_rev=revision)

    def downgrade(self, revision: str) -> None:
        """Undo a revision that has no applied descendants."""
        script = self.script.get_revision(revision)
        step = MigrationStep.downgrade_from_script(self.script.revision_map, script)
        self._run(lambda _current, _context: [step], destination_rev=script.down_revision or "base")
