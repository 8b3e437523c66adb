"""The database's revision against the head of the code's Alembic chain."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

ALEMBIC_INI = Path(__file__).parent.parent / "alembic.ini"
STATEMENT_TIMEOUT_MILLISECONDS = 1000
UNDEFINED_TABLE = "42P01"


@dataclass(frozen=True)
class RevisionState:
    """Where the database is, where the code wants it, and what is wrong, if anything."""

    revision: str | None
    head: str | None
    error: str | None


def read_heads(ini: Path = ALEMBIC_INI) -> tuple[str, ...]:
    """Return the heads of the Alembic scripts beside the application: one, when all is well."""
    # Imported here: Alembic is needed once, and its commands need not load the application.
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    return tuple(ScriptDirectory.from_config(Config(str(ini))).get_heads())


def read_current(engine: Engine) -> tuple[str, ...]:
    """Return the revisions that ``alembic_version`` holds; none if the table is missing."""
    with engine.connect() as connection:
        connection.execute(text(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MILLISECONDS}"))
        return _select_versions(connection)


def _select_versions(connection: Connection) -> tuple[str, ...]:
    query = text("SELECT version_num FROM alembic_version ORDER BY version_num")
    try:
        return tuple(connection.execute(query).scalars())
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) == UNDEFINED_TABLE:
            return ()
        raise


def compare_revisions(
    current: tuple[str, ...], heads: tuple[str, ...], tolerated: frozenset[str] = frozenset()
) -> RevisionState:
    """Judge the database's revisions against the code's heads, and what it tolerates besides."""
    head = heads[0] if len(heads) == 1 else None
    revision = current[0] if len(current) == 1 else None
    if revision in tolerated and head is not None:
        return RevisionState(revision, head, None)
    return RevisionState(revision, head, _difference(current, heads))


def _difference(current: tuple[str, ...], heads: tuple[str, ...]) -> str | None:
    if len(heads) != 1:
        found = ", ".join(heads) or "none"
        return f"the code must have exactly one Alembic head, found {found}"
    if len(current) > 1:
        return f"alembic_version must hold one row, found {', '.join(current)}"
    if not current:
        return "no migration has been applied; run: alembic upgrade head"
    if current != heads:
        return f"the database is at {current[0]}, the code needs {heads[0]}; migrate the database"
    return None
