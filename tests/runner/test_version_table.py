"""Version tables of any name, in any schema, as env.py configures them."""

from __future__ import annotations

import json

import pytest
from runner_roles import quote
from sqlalchemy.engine import URL
from support import Chain, query, run

ENV = """
import os
from alembic import context
from sqlalchemy import create_engine, pool

url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
with create_engine(url, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection, {options})
    with context.begin_transaction():
        context.run_migrations()
"""

TABLES: dict[str, tuple[str | None, str]] = {
    "another schema": ("billing", "billing_version"),
    "upper case": (None, "Versions"),
    "a quote and a dot": (None, 'odd."name'),
    "a colon and a percent sign": ("My Schema", "a:b%c"),
}


def with_table(chain: Chain, schema: str | None, name: str, **more: bool) -> str:
    """Write an env.py and a lockfile with a version table. Return its name in SQL."""
    options = {"version_table": name, "version_table_schema": schema, **more}
    text = ENV.format(options=", ".join(f"{key}={value!r}" for key, value in options.items()))
    (chain.folder / "alembic" / "env.py").write_text(text, encoding="utf-8")
    chain.version_table = {"schema": schema, "name": name}
    return ".".join(quote(part) for part in (schema, name) if part is not None)


@pytest.mark.parametrize("case", list(TABLES))
def test_revisions_are_kept_in_the_configured_table(chain: Chain, database: URL, case: str) -> None:
    schema, name = TABLES[case]
    table = with_table(chain, schema, name, version_table_pk=False)
    if schema:
        query(database, f"CREATE SCHEMA {quote(schema)}")
    chain.add("one", 'op.execute("CREATE TABLE one ()")', downgrade='op.execute("DROP TABLE one")')
    chain.add("two", 'op.execute("CREATE TABLE two ()")', downgrade='op.execute("DROP TABLE two")')
    result = run("upgrade", chain, database)
    assert (result.code, result.stderr) == (0, "")
    assert query(database, f"SELECT version_num FROM {table}") == [("two",)]
    assert query(database, "SELECT to_regclass('alembic_version')") == [(None,)]
    assert query(database, "SELECT to_revisions FROM pulumi_alembic.runs") == [(["two"],)]
    assert run("wait", chain, database).code == 0
    status = json.loads(run("status", chain, database).stdout)
    assert (status["current"], status["pending"], status["problem"]) == (["two"], [], None)
    assert run("downgrade", chain, database, "--target=one").code == 0
    assert query(database, f"SELECT version_num FROM {table}") == [("one",)]


def test_overlapping_revisions_are_reported_with_the_table(chain: Chain, database: URL) -> None:
    table = with_table(chain, "billing", "billing_version")
    query(database, "CREATE SCHEMA billing")
    chain.add("one", "pass")
    chain.add("two", "pass")
    assert run("upgrade", chain, database).code == 0
    query(database, f"INSERT INTO {table} VALUES ('one')")
    assert "billing.billing_version has overlapping revisions: one, two" in run("upgrade", chain, database).stderr


def test_table_that_was_not_reviewed_is_rejected(chain: Chain, database: URL) -> None:
    with_table(chain, "billing", "billing_version")
    chain.version_table = {}
    chain.add("one", "pass")
    for mode in ("upgrade", "wait"):
        result = run(mode, chain, database)
        assert result.code == 1
        assert (
            "env.py uses version table billing.billing_version online, but the lockfile has alembic_version"
            in result.stderr
        )
    assert query(database, "SELECT to_regclass('billing.billing_version')") == [(None,)]


def test_missing_schema_is_reported(chain: Chain, database: URL) -> None:
    with_table(chain, "billing", "billing_version")
    chain.add("one", "pass")
    result = run("upgrade", chain, database)
    assert result.code == 1
    assert 'schema "billing" does not exist' in result.stderr
