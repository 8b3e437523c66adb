"""Note which line of a revision's file executes each statement, for reviews. The lockfile doesn't contain lines."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from alembic.operations.batch import BatchOperationsImpl


class Lines:
    """The line of a file that is executed."""

    def __init__(self) -> None:
        self._file: str | None = None
        self._deferred: int | None = None
        lines, create = self, BatchOperationsImpl.__init__

        def create_with_lines(batch: BatchOperationsImpl, *args: Any, **options: Any) -> None:
            create(batch, *args, **options)
            batch.batch = _Batch(lines)

        BatchOperationsImpl.__init__ = create_with_lines  # type: ignore[method-assign]

    def start(self, file: str) -> None:
        """Note lines of a file from now on."""
        self._file, self._deferred = file, None

    def current(self) -> int | None:
        """Return the innermost line of the file that is executed, or None outside of it."""
        if self._deferred is not None:
            return self._deferred
        frame = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename != self._file:
            frame = frame.f_back  # type: ignore[assignment]
        return None if frame is None else frame.f_lineno

    def defer(self, line: int | None) -> None:
        """Make a line the current one: that of an operation which is executed later, at the end of a batch."""
        self._deferred = line


class _Batch(list[Any]):
    """The operations of `op.batch_alter_table`, each with its line."""

    def __init__(self, lines: Lines) -> None:
        super().__init__()
        self._lines = lines
        self._numbers: list[int | None] = []

    def append(self, operation: Any) -> None:
        """Append an operation with the line that is executed."""
        self._numbers.append(self._lines.current())
        super().append(operation)

    def __iter__(self) -> Iterator[Any]:
        """Yield each operation while its line is the current one."""
        for operation, line in zip(super().__iter__(), self._numbers):
            self._lines.defer(line)
            yield operation
        self._lines.defer(None)
