"""The database, accessed through the image's own Alembic and env.py."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable

from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from runner_config import SEVERAL_DATABASES, AlembicCall, load_config
from runner_errors import UNDEFINED_TABLE, FatalError, sqlstate
from runner_roles import quote
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

# The name of the version table, quoted as SQL needs it, as the session that writes it sees it. Every operator is
# qualified: the session's search_path is the application's.
VERSION_TABLE = """
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
    WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(:name)"""


@dataclass(frozen=True)
class VersionTable:
    """The table in which Alembic keeps the database's revisions, as env.py configures it."""

    # None if it is where the search path of env.py's session leads.
    schema: str | None = None
    name: str = "alembic_version"

    def __str__(self) -> str:
        return self.name if self.schema is None else f"{self.schema}.{self.name}"


class Database:
    """The database, accessed through the env.py of the current folder."""

    def __init__(self, call: AlembicCall, reviewed: VersionTable) -> None:
        self._reviewed = reviewed
        self.config = load_config(call)
        self.script = ScriptDirectory.from_config(self.config)

    def run(self, steps: Callable[[frozenset[str], MigrationContext], Iterator[MigrationStep]], **options: Any) -> None:
        """Run env.py once, as `alembic` does.

        :param steps: Receives the rows of the version table. Alembic runs the steps that it yields in their own
            transactions, and resumes it after each.
        :raises FatalError: If env.py does not run any migrations, or configures another version table than the reviewed
            one.
        """
        called = False

        def migrations(current: tuple[str, ...], context: MigrationContext) -> Iterator[MigrationStep]:
            nonlocal called
            called = True
            found = VersionTable(context.version_table_schema, context.version_table)
            if found != self._reviewed:
                raise FatalError(
                    f"env.py uses version table {found} online, but the lockfile has {self._reviewed}. Configure the "
                    "same version_table and version_table_schema in offline and online mode, then lock the chain "
                    "again"
                )
            return steps(frozenset(current), context)

        # With `dont_mutate`, Alembic does not create the version table before the first step is known.
        environment = EnvironmentContext(self.config, self.script, fn=migrations, dont_mutate=True, **options)
        environment.configure = once_per_revision(environment.configure)  # type: ignore[method-assign]
        with environment:
            self.script.run_env()
        if not called:
            raise FatalError("env.py did not run the migrations: it must call context.run_migrations()")

    def heads(self) -> frozenset[str]:
        """Return the heads of the image's revision files."""
        heads = frozenset(self.script.get_heads())
        if not gc.isenabled():  # they are loaded only once
            gc.freeze()
            gc.enable()
        return heads

    def revision_files(self) -> list[tuple[str, str]]:
        """Return the id and the file of each revision. Of two files with one id, Alembic takes the last."""
        return [(script.revision, script.path) for script in self.script.walk_revisions()]

    def current(self) -> frozenset[str]:
        """Return the rows of the version table, none if the database was never migrated."""
        rows: set[str] = set()

        def read(current: frozenset[str], _context: MigrationContext) -> Iterator[MigrationStep]:
            rows.update(current)
            return iter(())

        self.run(read)
        return frozenset(rows)

    def lineage(self, revision: str) -> frozenset[str]:
        """Return a revision with all its ancestors, including dependencies on other branches."""
        return frozenset(step.revision for step in self.script.iterate_revisions(revision, "base"))

    def predecessor(self, revision: str) -> str | None:
        """Return the revision before; None if there is none, or several."""
        script = self.script.get_revision(revision)
        return script.down_revision if script is not None and isinstance(script.down_revision, str) else None

    def predecessors(self, revision: str) -> frozenset[str]:
        """Return the revisions that one follows, including its dependencies on other branches."""
        script = self.script.get_revision(revision)
        return frozenset() if script is None else frozenset(script._all_down_revisions)

    def step(self, direction: str, revision: str) -> MigrationStep:
        """Return the step that applies or downgrades one revision."""
        script = self.script.get_revision(revision)
        make = MigrationStep.upgrade_from_script if direction == "upgrade" else MigrationStep.downgrade_from_script
        return make(self.script.revision_map, script)


def once_per_revision(configure: Callable[..., None]) -> Callable[..., None]:
    """Return Alembic's `configure` with one transaction per revision, whatever env.py says.

    It is set on the instance: Alembic's module `context` is a proxy only for the class itself.

    :raises FatalError: On the second call. env.py migrates several databases, of which the chain's would be only one.
    """
    calls = 0

    def configure_once(*args: Any, **options: Any) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise FatalError(SEVERAL_DATABASES)
        # Alembic logs two lines for every query of the revision, which would bury those of the runner.
        logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)
        configure(*args, **{**options, "transaction_per_migration": True})

    return configure_once


def in_text(name: str) -> str:
    """Return a name for `text`, which takes a colon for the start of a parameter's name."""
    return name.replace(":", "\\:")


def committed_rows(session: Connection, table: str) -> frozenset[str]:
    """Return the rows of the version table that other sessions have committed, none without the table.

    :param table: Its name, as `version_table` returns it.
    """
    try:
        return frozenset(session.execute(text(f"SELECT version_num FROM ONLY {in_text(table)}")).scalars())
    except DBAPIError as error:
        if sqlstate(error) != UNDEFINED_TABLE:
            raise
        return frozenset()


def version_table(context: MigrationContext) -> str:
    """Return the qualified name of the version table, and create the table if it does not exist."""
    context._ensure_version_table()
    # Not the dialect's quoting, which doubles percent signs for a statement.
    parts = [quote(part) for part in (context.version_table_schema, context.version_table) if part is not None]
    assert context.connection is not None
    return str(context.connection.scalar(text(VERSION_TABLE), {"name": ".".join(parts)}))
