"""Comparison of the database's revision with the head of the code's Alembic chain."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

ALEMBIC_INI = Path(__file__).parent.parent / "alembic.ini"
STATEMENT_TIMEOUT_MILLISECONDS = 1000
UNDEFINED_TABLE = "42P01"


@dataclass(frozen=True)
class RevisionState:
    """The database's revision, the code's head, and the error, if any."""

    revision: str | None
    head: str | None
    error: str | None


def read_heads(ini: Path = ALEMBIC_INI) -> tuple[str, ...]:
    """Return the heads of the Alembic scripts beside the application, normally one."""
    # Imported here, because Alembic is needed only once.
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    return tuple(ScriptDirectory.from_config(Config(str(ini))).get_heads())


def read_current(engine: Engine) -> tuple[str, ...]:
    """Return the rows of ``alembic_version``, none if the table does not exist."""
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
    """Compare the database's revisions with the code's heads and the tolerated revisions."""
    head = heads[0] if len(heads) == 1 else None
    revision = current[0] if len(current) == 1 else None
    if revision in tolerated and head is not None:
        return RevisionState(revision, head, None)
    return RevisionState(revision, head, _difference(current, heads))


def _difference(current: tuple[str, ...], heads: tuple[str, ...]) -> str | None:
    if len(heads) != 1:
        found = ", ".join(heads) or "none"
        return f"the code must have exactly one Alembic head, found: {found}"
    if len(current) > 1:
        return f"alembic_version must have exactly one row, found: {', '.join(current)}"
    if not current:
        return "database is uninitialized (no Alembic revision); run: alembic upgrade head"
    if current != heads:
        return f"database is at {current[0]}, expected {heads[0]}; migrate the database"
    return None
