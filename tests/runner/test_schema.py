"""The schema after the runner, compared with that after `alembic upgrade head`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.engine import URL
from support import BACKEND, PROJECT, Chain, dsn, query, reviewed, run, temporary_database

NOTES = PROJECT / "examples" / "notes" / "app"

# Everything but the runner's own record: relations, columns with their defaults, constraints, indexes, enums, and
# functions, by their names.
CATALOG = """
    WITH own AS (SELECT oid, nspname FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'pulumi_alembic'))
    SELECT 'relation', format('%s.%s', nspname, relname), concat_ws(' ', relkind, relpersistence, reloptions, relacl)
    FROM pg_class JOIN own ON own.oid = relnamespace
    UNION ALL SELECT 'column', format('%s.%s.%s', nspname, relname, attname), concat_ws(' ', attnum,
        format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid))
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN own ON own.oid = relnamespace
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attnum > 0
    UNION ALL SELECT 'constraint', format('%s.%s', nspname, conname), concat(pg_get_constraintdef(c.oid), convalidated)
    FROM pg_constraint c JOIN own ON own.oid = connamespace
    UNION ALL SELECT 'index', format('%s.%s', nspname, relname), concat(pg_get_indexdef(indexrelid), indisvalid)
    FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN own ON own.oid = relnamespace
    UNION ALL SELECT 'enum', format('%s.%s', nspname, typname), concat_ws(' ', enumsortorder, enumlabel)
    FROM pg_enum JOIN pg_type t ON t.oid = enumtypid JOIN own ON own.oid = typnamespace
    UNION ALL SELECT 'function', format('%s.%s', nspname, proname), pg_get_functiondef(p.oid)
    FROM pg_proc p JOIN own ON own.oid = pronamespace
    ORDER BY 1, 2, 3"""


def upgrade_with_alembic(app: Path, url: URL) -> None:
    """Run `alembic upgrade head`."""
    environment = {**os.environ, "DATABASE_URL": dsn(url), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    subprocess.run(command, cwd=app, env=environment, check=True, capture_output=True)


def branched(chain: Chain) -> Chain:
    """Add branches with a merge, an enum, a concurrent index, and a value that a later revision uses."""
    chain.add("one", "op.execute(\"CREATE TYPE mood AS ENUM ('calm', 'busy')\")")
    chain.add("left", "op.execute(\"CREATE TABLE l (id serial PRIMARY KEY, mood mood DEFAULT 'calm')\")", after="one")
    chain.add("right", 'op.execute("CREATE TABLE r (id int, CHECK (id > 0))")', after="one")
    chain.add("merge", 'op.execute("ALTER TABLE r ADD CONSTRAINT f UNIQUE (id)")', after=("left", "right"))
    chain.add(
        "index",
        'with op.get_context().autocommit_block():\n    op.execute("CREATE INDEX CONCURRENTLY i ON l (mood)")\n'
        "    op.execute(\"ALTER TYPE mood ADD VALUE 'late'\")",
    )
    chain.add("use", "op.execute(\"INSERT INTO l (mood) VALUES ('late')\")")
    return chain


@pytest.mark.parametrize("app", ["backend", "notes", "branched"])
def test_schema_equals_that_of_alembic(chain: Chain, tmp_path: Path, server: URL, database: URL, app: str) -> None:
    folders = {"backend": BACKEND, "notes": NOTES}
    chosen = branched(chain) if app == "branched" else reviewed(folders[app], tmp_path)
    result = run("upgrade", chosen, database)
    assert (result.code, result.stderr) == (0, "")
    with temporary_database(server) as other:
        upgrade_with_alembic(chosen.folder, other)
        assert len(query(database, CATALOG)) > 10
        assert query(database, CATALOG) == query(other, CATALOG)
        versions = "SELECT version_num FROM alembic_version"
        assert query(database, versions) == query(other, versions)
