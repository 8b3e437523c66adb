"""Successful runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool
from support import (
    BACKEND,
    Chain,
    Result,
    dsn,
    query,
    reviewed,
    revisions,
    run,
    stamp,
    start,
    tables,
    temporary_database,
)

LOCK = json.loads((BACKEND / "migrations.lock.json").read_text(encoding="utf-8"))
IDS = [revision["id"] for revision in LOCK["revisions"]]
TABLES = {table for revision in LOCK["revisions"] for table in revision["tables"]["created"]}


def applied(output: str) -> list[str]:
    """Return the revisions that the log lists as applied."""
    return re.findall(r"^\d+/\d+  (\S+)  .+  \d+\.\d\ds$", output, re.MULTILINE)


def test_image_with_a_safe_path_is_migrated(chain: Chain, database: URL) -> None:
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    result = run("upgrade", chain, database, PYTHONSAFEPATH="1")
    assert result.code == 0, result.output


def test_upgrade_of_an_empty_database_logs_a_line_per_revision(backend: Chain, database: URL) -> None:
    result = run("upgrade", backend, database)
    assert (result.code, result.stderr) == (0, "")
    assert applied(result.stdout) == IDS
    lines = result.stdout.splitlines()
    assert lines[0] == "Database is at no revision; 8 of 8 revisions are pending"
    assert re.fullmatch(r"7/8  a1b2c3d4e5f6  Marketplace & Dashboards  \d+\.\d\ds", lines[7])
    assert lines[9:] == ["Database is up to date (head add_plugin_execution)"]
    assert revisions(database) == {"add_plugin_execution"}
    assert tables(database) == TABLES | {"alembic_version"}


@pytest.fixture(scope="module")
def partial_upgrades(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[URL, Result]]]:
    """Upgrade a database from each revision but the head, concurrently."""
    chain = reviewed(BACKEND, tmp_path_factory.mktemp("backend"))
    with ExitStack() as stack:
        databases = {id: stack.enter_context(temporary_database(server)) for id in IDS[:-1]}
        runs = {}
        for id, database in databases.items():
            engine = create_engine(database.set(drivername="postgresql+psycopg"), poolclass=NullPool)
            with engine.connect() as connection:
                config = Config(str(BACKEND / "alembic.ini"))
                config.attributes["connection"] = connection
                command.upgrade(config, id)
            runs[id] = start("upgrade", chain, database, "--deadline-seconds=90")
        yield {id: (databases[id], runs[id].finish()) for id in runs}


@pytest.mark.parametrize("revision", IDS[:-1])
def test_upgrade_applies_the_remaining_revisions(
    partial_upgrades: dict[str, tuple[URL, Result]], revision: str
) -> None:
    database, result = partial_upgrades[revision]
    assert (result.code, result.stderr) == (0, "")
    assert applied(result.stdout) == IDS[IDS.index(revision) + 1 :]
    assert revisions(database) == {"add_plugin_execution"}
    assert tables(database) == TABLES | {"alembic_version"}


def test_upgrade_at_head_changes_nothing(chain: Chain, database: URL) -> None:
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    assert run("upgrade", chain, database).code == 0
    state = "SELECT oid, xmin::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    row = "SELECT xmin::text, ctid::text FROM alembic_version"
    before = query(database, state), query(database, row)
    result = run("upgrade", chain, database)
    assert (result.code, result.output) == (0, "Database is up to date (head one)\n")
    assert (query(database, state), query(database, row)) == before


def test_wait_changes_nothing(chain: Chain, database: URL) -> None:
    chain.add("one", "pass")
    result = run("wait", chain, database, "--deadline-seconds=1")
    assert result.code == 1
    assert tables(database) == set()
    assert run("upgrade", chain, database).code == 0
    result = run("wait", chain, database)
    assert (result.code, result.output) == (0, "Database is up to date (head one)\n")


def test_upgrade_of_branches_and_a_merge_revision(chain: Chain, database: URL) -> None:
    chain.add("root", 'op.execute("CREATE TABLE root ()")')
    chain.add("left", 'op.execute("CREATE TABLE left_side ()")', after="root")
    chain.add("right", 'op.execute("CREATE TABLE right_side ()")', after="root")
    assert run("upgrade", chain, database).code == 0
    assert revisions(database) == {"left", "right"}
    chain.add("merge", 'op.execute("CREATE TABLE merged ()")', after=("left", "right"))
    result = run("upgrade", chain, database)
    assert result.code == 0, result.stderr
    assert applied(result.stdout) == ["merge"]
    assert revisions(database) == {"merge"}
    assert tables(database) == {"alembic_version", "root", "left_side", "right_side", "merged"}


@pytest.mark.parametrize("at", ["left", "right"])
def test_upgrade_from_one_of_two_heads(chain: Chain, database: URL, at: str) -> None:
    for id, after in [("root", ()), ("left", "root"), ("right", "root")]:
        chain.add(id, "pass", after=after)
    query(database, "CREATE TABLE alembic_version (version_num text PRIMARY KEY)")
    query(database, f"INSERT INTO alembic_version VALUES ('{at}')")
    result = run("upgrade", chain, database)
    assert result.code == 0, result.stderr
    assert applied(result.stdout) == [{"left": "right", "right": "left"}[at]]
    assert revisions(database) == {"left", "right"}
    assert run("upgrade", chain, database).stdout == "Database is up to date (head left, right)\n"


def test_log_numbers_are_positions_in_the_chain(chain: Chain, database: URL) -> None:
    for id, after in [("root", ()), ("left", "root"), ("right", "root"), ("left_too", "left")]:
        chain.add(id, "pass", after=after)
    stamp(database, "right")
    result = run("upgrade", chain, database)
    assert re.findall(r"^(\d/\d  \S+)", result.stdout, re.MULTILINE) == ["2/4  left", "4/4  left_too"]


def test_upgrade_of_a_branch_that_depends_on_another(chain: Chain, database: URL) -> None:
    chain.add("one", 'op.execute("CREATE TABLE one ()")', after=())
    chain.add("two", 'op.execute("CREATE TABLE two ()")', after=(), more="depends_on = 'one'")
    result = run("upgrade", chain, database)
    assert result.code == 0, result.stderr
    assert applied(result.stdout) == ["one", "two"]
    assert run("upgrade", chain, database).stdout == "Database is up to date (head one, two)\n"


def test_concurrent_index_is_built_under_the_lock(chain: Chain, database: URL) -> None:
    chain.add("one", 'op.execute("CREATE TABLE one (id int)")')
    index = 'op.create_index("i", "one", ["id"], postgresql_concurrently=True)'
    chain.add("two", f"with op.get_context().autocommit_block():\n    {index}")
    result = run("upgrade", chain, database, "--lock-timeout-seconds=2")
    assert result.code == 0, result.stderr
    assert query(database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") == [(True,)]


def test_modules_of_the_image_are_not_shadowed_by_the_runner(chain: Chain, database: URL, tmp_path: Path) -> None:
    (tmp_path / "migrate.py").write_text('TABLE = "from_the_image"\n')
    chain.add("one", "from migrate import TABLE\nop.execute(f'CREATE TABLE {TABLE} ()')")
    result = run("upgrade", chain, database, PYTHONPATH=str(tmp_path))
    assert result.code == 0, result.stderr
    assert "from_the_image" in tables(database)


@pytest.mark.parametrize("more", ["options={}", "connect_timeout=9&options={}&sslmode=prefer"])
def test_options_of_the_url_apply_with_those_of_the_runner(chain: Chain, database: URL, more: str) -> None:
    query(database, "CREATE SCHEMA first")
    chain.add("one", "op.execute(\"CREATE TABLE one AS SELECT current_setting('lock_timeout') AS lock_timeout\")")
    url = f"{dsn(database)}?{more.format('-csearch_path%3Dfirst')}"
    result = run("upgrade", chain, url, "--lock-timeout-seconds=7")
    assert (result.code, result.stderr) == (0, "")
    assert query(database, "SELECT lock_timeout FROM first.one") == [("7s",)]
