"""Check that a database has no objects before the rehearsal, and remove what it created."""

from __future__ import annotations

import json
from pathlib import Path

from .observer import Observer

OURS = "SELECT pg_catalog.to_regnamespace('pulumi_alembic')::text"
EXTENSIONS = "SELECT string_agg(quote_literal(extname), ', ') FROM pg_extension"
DROP = Path(__file__).with_name("drop-all.sql").read_text(encoding="utf-8")


def objects(observer: Observer) -> list[str]:
    """Return the names of some objects of a database, none if it has only extensions and the schema `public`."""
    found = [str(observer.scalar(OURS))] if observer.scalar(OURS) else []
    for kind, names in json.loads(observer.schema()).items():
        if kind != "extensions":
            found += [each for each in names if (kind, each) != ("schemas", "public")]
    return found


class Cleaner:
    """Remembers the extensions that a database has, and drops all objects, but for those of these extensions."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._kept = observer.scalar(EXTENSIONS)

    def drop_all(self) -> None:
        """Drop them."""
        self._observer.execute(DROP.replace("KEPT", self._kept or "''"))
