"""Print where revision files declare what Alembic reads from them.

Usage: python declarations.py FILE...

Writes one JSON object to standard output: for each file, the line of each declaration; the bytes of the docstring; and
the bytes and the value of each text or None in `down_revision`. A file that can't be parsed has nothing. Nothing is
executed. Requires Python 3.9 or later, and no package.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import tokenize
from pathlib import Path
from typing import Any

NAMES = ("revision", "down_revision", "upgrade", "downgrade")
BOM = b"\xef\xbb\xbf"


def describe(path: Path) -> dict[str, Any]:
    """Return the declarations of a file."""
    source = path.read_bytes()
    with path.open("rb") as file:
        encoding, _ = tokenize.detect_encoding(file.readline)
    tree = ast.parse(source)
    lines = {name: node.lineno for node in tree.body for name in _names(node) if name in NAMES}
    values = [node.value for node in tree.body if "down_revision" in _names(node) and hasattr(node, "value")]
    # Offsets are those of the text in UTF-8.
    is_editable = encoding.startswith("utf-8") and len(values) == 1
    docstring = tree.body[0].value if tree.body and ast.get_docstring(tree) is not None else None  # type: ignore[attr-defined]
    starts = _line_starts(source)
    return {
        "lines": lines,
        "docstring": _span(docstring, starts) if is_editable and docstring is not None else None,
        "downRevisions": _constants(values[0], starts) if is_editable else None,
    }


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _line_starts(source: bytes) -> list[int]:
    first = len(BOM) if source.startswith(BOM) else 0
    return [first, *(found.end() for found in re.finditer(rb"\r\n|\r|\n", source))]


def _span(node: ast.expr, starts: list[int]) -> list[int]:
    return [starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset]  # type: ignore[operator]


def _constants(value: ast.expr, starts: list[int]) -> list[dict[str, Any]] | None:
    """Return the parts of a text, None, or a list of texts; None if it is computed."""
    parts = value.elts if isinstance(value, (ast.Tuple, ast.List, ast.Set)) else [value]
    constants = [part for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, (str, type(None)))]
    if len(constants) != len(parts):
        return None
    return [{"value": part.value, "span": _span(part, starts)} for part in constants]


def main() -> None:
    """Write the declarations of each file."""
    found = {}
    for name in sys.argv[1:]:
        try:
            found[name] = describe(Path(name))
        except (OSError, SyntaxError, ValueError):
            found[name] = {"lines": {}, "docstring": None, "downRevisions": None}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
