"""Find the tables that a revision changes, by Alembic's constructs."""

from __future__ import annotations

from typing import Any

from alembic.ddl.base import AlterTable, RenameTable
from sqlalchemy.schema import CreateSequence, CreateTable, DropSequence, DropTable, Table
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.types import TypeEngine

UNNAMED_TABLE = "no_table"
"""Alembic's name for the table of `op.drop_index("name")` without `table_name`."""


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


def _name(name: str, schema: str | None) -> str:
    return f"{schema}.{name}" if schema else str(name)


def _changes_no_table(construct: Any, element: Any) -> bool:
    return isinstance(construct, (UpdateBase, SelectBase, CreateSequence, DropSequence)) or isinstance(
        element, TypeEngine
    )
