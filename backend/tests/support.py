"""Helpers: databases, migrations, and snapshots of the catalog."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

BACKEND = Path(__file__).parent.parent
HEAD = "add_plugin_execution"
BASE = "base"
JSON = {"Content-Type": "application/json"}
"""Headers that a POST to the API requires."""


def alembic_config() -> Config:
    """Return the configuration of the image."""
    return Config(str(BACKEND / "alembic.ini"))


def chain() -> list[tuple[str, str]]:
    """Return each revision with its predecessor or "base", base first."""
    scripts = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    steps = [(script.revision, str(script.down_revision or BASE)) for script in scripts]
    return steps[::-1]


def migrate(url: URL, target: str, *, down: bool = False) -> None:
    """Upgrade or downgrade a database, with a connection that is passed to env.py."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, target)


def query(url: URL, sql: str) -> list[tuple[object, ...]]:
    """Run one statement, commit, and return its rows, if any."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(sql))
        return [tuple(row) for row in result] if result.returns_rows else []


@contextmanager
def temporary_database(server: URL, template: str = "template0") -> Iterator[URL]:
    """Create a database, yield its URL, and drop it even if it has sessions."""
    name = f"unity_test_{uuid.uuid4().hex[:12]}"
    engine = create_engine(server, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as admin:
        admin.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    try:
        yield server.set(database=name)
    finally:
        with engine.connect() as admin:
            admin.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


IN_PUBLIC = "namespace.nspname = 'public' AND {name} NOT LIKE 'alembic_version%'"

CATALOG = {
    "relations": f"""
        SELECT relname, relkind FROM pg_class
        JOIN pg_namespace namespace ON namespace.oid = relnamespace
        WHERE {IN_PUBLIC.format(name="relname")}""",
    "columns": f"""
        SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
               pg_get_expr(adbin, adrelid)
        FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid AND relkind = 'r'
        JOIN pg_namespace namespace ON namespace.oid = relnamespace
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attnum > 0 AND NOT attisdropped AND {IN_PUBLIC.format(name="relname")}""",
    "constraints": f"""
        SELECT relname, conname, convalidated, pg_get_constraintdef(pg_constraint.oid)
        FROM pg_constraint
        JOIN pg_class ON pg_class.oid = conrelid
        JOIN pg_namespace namespace ON namespace.oid = relnamespace
        WHERE {IN_PUBLIC.format(name="relname")}""",
    "indexes": f"""
        SELECT relname, indisvalid, pg_get_indexdef(indexrelid)
        FROM pg_index
        JOIN pg_class ON pg_class.oid = indexrelid
        JOIN pg_namespace namespace ON namespace.oid = relnamespace
        WHERE {IN_PUBLIC.format(name="relname")}""",
    "types": f"""
        SELECT typname, typtype FROM pg_type
        JOIN pg_namespace namespace ON namespace.oid = typnamespace
        WHERE {IN_PUBLIC.format(name="ltrim(typname, '_')")}""",
    "functions": """
        SELECT proname, pg_get_function_identity_arguments(pg_proc.oid) FROM pg_proc
        JOIN pg_namespace namespace ON namespace.oid = pronamespace
        WHERE namespace.nspname = 'public'""",
}

Snapshot = dict[str, list[tuple[object, ...]]]


def snapshot(url: URL) -> Snapshot:
    """Return all objects of the schema, except Alembic's table."""
    return {name: sorted(query(url, sql), key=repr) for name, sql in CATALOG.items()}


EMPTY: Snapshot = {name: [] for name in CATALOG}


def tables(url: URL) -> set[str]:
    """Return the names of the tables, except Alembic's."""
    return {str(name) for name, kind in snapshot(url)["relations"] if kind == "r"}
