"""Record the statements of a revision's upgrade() or downgrade(), and the tables that they change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import getsource
from typing import Any, Literal, cast

from alembic.ddl.base import AlterTable, RenameTable
from alembic.runtime.migration import MigrationContext
from alembic.script import Script
from sqlalchemy import text
from sqlalchemy.exc import CompileError
from sqlalchemy.schema import CreateSequence, CreateTable, DDLElement, DropSequence, DropTable, Table
from sqlalchemy.sql import ddl, schema
from sqlalchemy.sql.dml import UpdateBase, ValuesBase
from sqlalchemy.sql.elements import BindParameter, TextClause
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.sql.visitors import cloned_traverse
from sqlalchemy.types import TypeEngine
from sqlalchemy.util import OrderedSet

from .offline import DUMMY, RenderingLimit, explain, no_result, raised_by, refusals, refuse
from .online import stand_in
from .variables import hide, loaded, refused_in, value_in

UNNAMED_TABLE = "no_table"
"""Alembic's name for the table of `op.drop_index("name")` without `table_name`."""


TAB = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\t")
"""A tab that indents the columns of a table, or a string or name, whose tabs are part of what runs."""


@dataclass(frozen=True)
class Rendering:
    """The statements of one direction of a revision, or the reason for their absence."""

    sql: list[str] | None
    reason: str | None = None
    unsupported: bool = False
    """Whether the function is missing, or raises an error itself."""
    tables: dict[str, Any] | None = None

    def depending_on(self, variables: list[str]) -> Rendering:
        """Return the rendering without its SQL, which depends on environment variables."""
        return Rendering(None, depends(variables), self.unsupported)

    def as_json(self) -> dict[str, Any]:
        """Return the fields of the lockfile."""
        return {"sql": self.sql} if self.sql is not None else {"sql": None, "reason": self.reason}


def depends(variables: list[str]) -> str:
    """Return the reason why SQL that depends on environment variables is not known."""
    return f"its SQL depends on the environment variable{'s' * (len(variables) > 1)} {', '.join(variables)}"


class Tables:
    """The tables that the statements create, alter, and drop, by Alembic's constructs."""

    def __init__(self) -> None:
        self.created: set[str] = set()
        self.altered: set[str] = set()
        self.dropped: set[str] = set()
        self.unclassified: list[int] = []

    def note(self, construct: Any, index: int) -> None:
        """Add the construct of a statement. Plain text is recorded as unclassified."""
        element = getattr(construct, "element", None)
        table = element if isinstance(element, Table) else getattr(element, "table", None)
        if isinstance(construct, CreateTable):
            self._create(_name(construct.element.name, construct.element.schema))
        elif isinstance(construct, DropTable):
            self._drop(_name(construct.element.name, construct.element.schema))
        elif isinstance(construct, RenameTable):
            self._drop(_name(construct.table_name, construct.schema))
            self._create(_name(construct.new_table_name, construct.schema))
        elif isinstance(construct, AlterTable):
            self.altered.add(_name(construct.table_name, construct.schema))
        elif isinstance(table, Table) and table.name != UNNAMED_TABLE:
            self.altered.add(_name(table.name, table.schema))
        elif not _changes_no_table(construct, element):
            self.unclassified.append(index)

    def _create(self, name: str) -> None:
        if name in self.dropped:
            self.dropped.remove(name)
            self.altered.add(name)
        else:
            self.created.add(name)

    def _drop(self, name: str) -> None:
        if name in self.created:
            self.created.remove(name)
        else:
            self.dropped.add(name)

    def as_json(self) -> dict[str, Any]:
        """Return the fields of the lockfile. A table that the revision creates or drops is not listed as altered."""
        return {
            "created": sorted(self.created),
            "altered": sorted(self.altered - self.created - self.dropped),
            "dropped": sorted(self.dropped),
            "unclassified": self.unclassified,
        }


def keep_order() -> None:
    """Render indexes and constraints in the order of their declaration, not in that of memory addresses."""
    sort_tables = ddl.sort_tables_and_constraints

    def sort(*args: Any, **options: Any) -> Any:
        *tables, (_, cyclic) = sort_tables(*args, **options)
        return [*tables, (None, sorted(cyclic, key=lambda key: key._creation_order))]

    def foreign_keys(table: Table) -> Any:
        return OrderedSet([key.constraint for key in table.foreign_keys if key.constraint is not None])

    vars(schema)["set"] = OrderedSet  # of the sets that each table and column has
    vars(ddl)["sort_tables_and_constraints"] = sort
    Table.foreign_key_constraints = property(foreign_keys)  # type: ignore[assignment]


def _name(name: str, schema: str | None) -> str:
    return f"{schema}.{name}" if schema else str(name)


def _changes_no_table(construct: Any, element: Any) -> bool:
    return isinstance(construct, (UpdateBase, SelectBase, CreateSequence, DropSequence)) or isinstance(
        element, TypeEngine
    )


def with_values(construct: Any, row: Mapping[str, Any]) -> Any:
    """Return the statement that a connection runs with the parameters of a row."""
    if not row:
        return construct
    if isinstance(construct, TextClause):
        return construct.bindparams(**{key: value for key, value in row.items() if key in construct._bindparams})
    bound: set[str] = set()

    def bind(parameter: BindParameter[Any]) -> None:
        if parameter.key in row:
            bound.add(parameter.key)
            parameter.value = row[parameter.key]
            parameter.required = False

    statement = cloned_traverse(construct, {}, {"bindparam": bind})
    others = {key: value for key, value in row.items() if key not in bound}
    return statement.values(others) if others and isinstance(statement, ValuesBase) else statement


def literal(construct: Any, dialect: Any) -> str:
    """Return a statement as it runs, unlike Alembic, which replaces every tab, with its values as literals."""
    options = {} if isinstance(construct, DDLElement) else {"compile_kwargs": {"literal_binds": True}}
    try:
        sql = str(construct.compile(dialect=dialect, **options))
    except (CompileError, NotImplementedError) as error:
        construct.compile(dialect=dialect)  # fails if the values are not the cause
        refuse(f"passes a value that has no literal: {explain(error, None)}", RenderingLimit)
    if isinstance(construct, CreateTable):
        return TAB.sub(lambda found: "    " if found[0] == "\t" else found[0], sql)
    return sql


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
        self._statements = []
        self._tables = Tables()
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
                return Rendering(None, hide(explain(error, script.path)), raised_by(error, script.path))
        if refusals:  # even if the revision has caught it
            return Rendering(None, hide(explain(refusals[0], script.path)))
        return Rendering([*self._statements], tables=self._tables.as_json())
