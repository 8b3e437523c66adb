"""Alembic's environment, which renders the revisions while env.py runs."""

from __future__ import annotations

from io import StringIO
from typing import Any

import alembic.context
from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.script import Script
from runner_config import SEVERAL_DATABASES
from sqlalchemy.dialects.postgresql.base import PGDialect

from .online import answer_as_online
from .recorder import Recorder, Rendering

OTHER_DIALECT = (
    "env.py takes a URL of {}, not of PostgreSQL, so that the lockfile would have other SQL than the database gets. "
    "Make env.py read DATABASE_URL, or set the variable that it reads to any URL of PostgreSQL: no connection is opened"
)


class Loaded(Exception):
    """Ends env.py once it has configured the migration context."""


class RenderingContext(EnvironmentContext):
    """Alembic's environment, which renders the revisions instead of running them."""

    rendered: dict[str, dict[str, Rendering]]
    version_table: dict[str, str | None]
    max_id_length: int | None = None
    """The length of the version table's column, None if it has no limit, or if env.py changes it."""
    is_configured = False
    runs = 0
    probing = False

    def configure(self, *args: Any, **options: Any) -> None:
        """Apply env.py's options, but render values instead of placeholders, as in the statements that run.

        :raises RuntimeError: On the second call, as in the runner, and for a database other than PostgreSQL.
        """
        if self.is_configured:
            raise RuntimeError(SEVERAL_DATABASES)
        self.is_configured = True
        options["literal_binds"] = True
        options["dialect_opts"] = {**(options.get("dialect_opts") or {}), "paramstyle": "named"}
        options["output_buffer"] = StringIO()
        super().configure(*args, **options)
        dialect = self.get_context().dialect
        if not isinstance(dialect, PGDialect):
            raise RuntimeError(OTHER_DIALECT.format(dialect.name))

    def is_offline_mode(self) -> bool:
        """Return True to env.py. A revision finds Alembic's class, whose answer is that of an online run."""
        return True

    def run_migrations(self, **options: Any) -> None:
        """Render all revisions.

        :param options: The arguments that env.py passes to each upgrade().
        """
        if self.probing:
            raise Loaded
        self.runs += 1
        if "version_num" not in self.context_opts["output_buffer"].getvalue():
            self.max_id_length = getattr(self.get_context()._version.c.version_num.type, "length", None)
        context = self.get_context()
        self.version_table = {"schema": context.version_table_schema, "name": context.version_table}
        try:
            with Operations.context(self.get_context()):
                recorder = Recorder(self.get_context())
                answer_as_online(self.get_context(), self)
                scripts = self.script.walk_revisions()
                self.rendered = {script.revision: _render(script, recorder, options) for script in scripts}
        finally:
            self.__class__ = RenderingContext


# As alembic/context.py does for EnvironmentContext, so that `from alembic import context` in env.py uses this class.
RenderingContext.create_module_class_proxy(vars(alembic.context), vars(alembic.context))


def _render(script: Script, recorder: Recorder, options: dict[str, Any]) -> dict[str, Rendering]:
    return {
        "upgrade": recorder.render(script, "upgrade", options),
        "downgrade": recorder.render(script, "downgrade", options),
    }
