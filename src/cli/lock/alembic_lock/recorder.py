"""Record the statements of a revision's upgrade() or downgrade()."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from inspect import getsource
from typing import Any, Literal, cast

from alembic.runtime.migration import MigrationContext
from alembic.script import Script
from sqlalchemy import text

from .lines import Lines
from .offline import DUMMY, RenderingLimit, explain, line_in, no_result, raised_by, refusals, refuse
from .online import stand_in
from .statements import literal, with_values
from .tables import Tables
from .variables import hide, loaded, refused_in, value_in


@dataclass(frozen=True)
class Rendering:
    """The statements of one direction of a revision, or the reason for their absence."""

    sql: list[str] | None
    reason: str | None = None
    unsupported: bool = False
    """Whether the function is missing, or raises an error itself."""
    tables: dict[str, Any] | None = None
    lines: list[int | None] = field(default_factory=list, compare=False)
    """The line of the file that executes each statement; without SQL, the one that can't be rendered."""

    def depending_on(self, variables: list[str]) -> Rendering:
        """Return the rendering without its SQL, which depends on environment variables."""
        return Rendering(None, depends(variables), self.unsupported)

    def as_json(self) -> dict[str, Any]:
        """Return the fields of the lockfile."""
        return {"sql": self.sql} if self.sql is not None else {"sql": None, "reason": self.reason}


def depends(variables: list[str]) -> str:
    """Return the reason why SQL that depends on environment variables is not known."""
    return f"its SQL depends on the environment variable{'s' * (len(variables) > 1)} {', '.join(variables)}"


class Recorder:
    """Intercepts the output of Alembic's operations in a migration context in offline mode.

    Statements of `op` and of the bind pass through the implementation's `_exec`, and those of `autocommit_block`
    through `static_output`. Both are replaced on this object only.
    """

    repeats = True
    """Whether each direction is rendered twice."""

    def __init__(self, context: MigrationContext) -> None:
        self._impl = cast(Any, context.impl)
        self._statements: list[str] = []
        self._tables = Tables()
        self._lines = Lines()
        self._numbers: list[int | None] = []
        self._impl._exec = self._exec
        self._impl.static_output = self._statement
        context.connection = self._impl.connection = stand_in(context.dialect, self._execute_on_bind)

    def _exec(self, construct: Any, _: Any = None, multiparams: Any = None, params: Any = None) -> Any:
        return self._execute_on_bind(construct, multiparams or params)

    def _execute_on_bind(self, construct: Any, parameters: Any = None, *more: Any, **options: Any) -> Any:
        rows = parameters if isinstance(parameters, (list, tuple)) and parameters else [parameters or {}]
        if more or not all(isinstance(row, Mapping) for row in rows):
            refuse("passes parameters that are not a mapping", RenderingLimit)
        for row in rows:
            self._tables.note(construct, len(self._statements))
            statement = with_values(text(construct) if isinstance(construct, str) else construct, row)
            self._statement(literal(statement, self._impl.dialect).strip() + self._impl.command_terminator)
        return no_result()

    def _statement(self, text: str) -> None:
        self._statements.append(text)
        self._numbers.append(self._lines.current())

    def render(self, script: Script, direction: Literal["upgrade", "downgrade"], options: dict[str, Any]) -> Rendering:
        """Render one direction twice: SQL that differs (a time, a random id) can't be recorded."""
        first = self._render(script, direction, options)
        if first.sql and self.repeats and self._render(script, direction, options) != first:
            return Rendering(None, "its SQL differs between two runs: it contains a time or a random value")
        if any(DUMMY in statement for statement in first.sql or []):
            return Rendering(None, "its SQL contains a part of the database's URL")
        if first.sql and (name := value_in(first.sql, getsource(script.module))):
            return Rendering(None, f"its SQL contains the value of the environment variable {name}")
        return first

    def _render(self, script: Script, direction: str, options: dict[str, Any]) -> Rendering:
        self._statements, self._numbers = [], []
        self._tables = Tables()
        self._lines.start(script.path)
        self._impl.memo.clear()
        function = getattr(script.module, direction, None)
        if function is None:
            return Rendering(None, f"the file has no {direction}()", unsupported=True)
        refusals.clear()
        if script.path in loaded:
            return Rendering(None, f"reads the environment variable {loaded[script.path]} when it is loaded")
        try:
            with refused_in(script.path):
                function(**options)
        except (Exception, SystemExit) as error:
            if not refusals:
                reason, line = hide(explain(error, script.path)), line_in(error, script.path)
                return Rendering(None, reason, raised_by(error, script.path), lines=[line])
        if refusals:  # even if the revision has caught it
            return Rendering(None, hide(explain(refusals[0], script.path)), lines=[line_in(refusals[0], script.path)])
        return Rendering([*self._statements], tables=self._tables.as_json(), lines=[*self._numbers])
