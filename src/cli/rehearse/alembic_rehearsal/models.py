"""Compare env.py's models with the schema at the head."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext


def compare_models(context: MigrationContext) -> list[str] | None:
    """Return a line for each difference; None if env.py has no models.

    The transaction that this begins is rolled back.
    """
    metadata = context.opts.get("target_metadata")
    several = metadata if isinstance(metadata, (list, tuple)) else [metadata]
    if not any(each is not None and each.tables for each in several):
        return None
    assert context.connection is not None
    was_open = context.connection.in_transaction()
    try:
        return sorted(line for difference in compare_metadata(context, metadata) for line in describe(difference))
    finally:
        if not was_open and (transaction := context.connection.get_transaction()) is not None:
            transaction.rollback()


def describe(difference: Any) -> list[str]:
    """Return a line for each part of a difference, which is a tuple, or a list of those that change a column."""
    if isinstance(difference, list):
        return [line for each in difference for line in describe(each)]
    kind, *values = difference
    verb, _, what = kind.partition("_")
    if verb == "modify":
        schema, table, column, _, old, new = values
        return [f"column {name(schema, table)}.{column}: {what} {old!r} in the database, {new!r} in the models"]
    side = "is in the models, but not in the database" if verb == "add" else "is in the database, but not in the models"
    return [f"{subject(what, values)} {side}"]


def subject(what: str, values: list[Any]) -> str:
    """Return the kind and the name of an object."""
    if what == "column":
        schema, table, column = values
        return f"column {name(schema, table)}.{column.name}"
    element = values[0]
    if what == "table":
        return f"table {name(element.schema, element.name)}"
    if what == "table_comment":
        return f"comment of table {name(element.schema, element.name)}"
    kinds = {"fk": "foreign key", "constraint": "constraint", "index": "index"}
    columns = ", ".join(column.name for column in element.columns if hasattr(column, "name"))
    return (
        f"{kinds.get(what, what)} {element.name or ''}({columns}) of {name(element.table.schema, element.table.name)}"
    )


def name(schema: str | None, table: str) -> str:
    """Return the name of a table."""
    return f"{schema}.{table}" if schema else table
