"""Write statements as they run: values as literals, in an order that doesn't depend on memory addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import CompileError
from sqlalchemy.schema import CreateTable, DDLElement, Table
from sqlalchemy.sql import ddl, schema
from sqlalchemy.sql.dml import ValuesBase
from sqlalchemy.sql.elements import BindParameter, TextClause
from sqlalchemy.sql.visitors import cloned_traverse
from sqlalchemy.util import OrderedSet

from .offline import RenderingLimit, explain, refuse

TAB = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\t")
"""A tab that indents the columns of a table, or a string or name, whose tabs are part of what runs."""


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
