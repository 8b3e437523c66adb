"""CREATE INDEX CONCURRENTLY, and the INVALID indexes that a failed one leaves behind."""

from __future__ import annotations

import threading
import time

import pytest
from psycopg.errors import UniqueViolation
from sqlalchemy.engine import URL
from support import Chain, query, revisions, run, runner_sessions, session, start, until, waiting

CONCURRENTLY = """with op.get_context().autocommit_block():
    op.create_index("i", "one", ["id"], unique={unique}, postgresql_concurrently=True)"""


@pytest.fixture
def indexed(chain: Chain, database: URL) -> Chain:
    """Apply a revision that creates a table, and add one that indexes it concurrently."""
    chain.add("one", 'op.execute("CREATE TABLE one (id int)")')
    assert run("upgrade", chain, database).code == 0
    chain.add("two", CONCURRENTLY.format(unique=True))
    return chain


def valid(url: URL) -> list[tuple[bool]]:
    """Return whether index `i` is valid, or no row if it does not exist."""
    return query(url, "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('i')")


def leave_invalid_index(url: URL, name: str, table: str) -> None:
    """Leave an INVALID index behind: a unique one on duplicate rows."""
    query(url, f"CREATE TABLE {table} AS SELECT 1 AS id UNION ALL SELECT 1")
    with pytest.raises(UniqueViolation):
        query(url, f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} (id)")


def building(url: URL) -> bool:
    """Return whether the runner's CREATE INDEX waits for another session."""
    return any("CREATE UNIQUE INDEX CONCURRENTLY" in row[2] for row in runner_sessions(url)) and valid(url) == [
        (False,)
    ]


def test_concurrent_index_waits_for_writes_beyond_the_lock_timeout(indexed: Chain, database: URL) -> None:
    with session(database, autocommit=False) as writer:
        writer.execute("INSERT INTO one VALUES (1)")
        running = start("upgrade", indexed, database, "--lock-timeout-seconds=0.3", "--statement-timeout-seconds=0.5")
        until(lambda: building(database), "the index waits for the writer")
        time.sleep(1)
        query(database, "INSERT INTO one VALUES (2)")
        writer.execute("INSERT INTO one VALUES (3)")
        writer.commit()
    result = running.finish()
    assert (result.code, result.stderr) == (0, "")
    assert valid(database) == [(True,)]
    assert query(database, "SELECT id FROM one ORDER BY 1") == [(1,), (2,), (3,)]


def test_deadline_reports_the_invalid_index(indexed: Chain, database: URL) -> None:
    with session(database, autocommit=False) as writer:
        writer.execute("INSERT INTO one VALUES (1)")
        result = run("upgrade", indexed, database, "--deadline-seconds=8")
    assert result.code == 1
    assert "Revision two (Title of two) failed" in result.stderr and "SQLSTATE 57014" in result.stderr
    assert result.stderr.splitlines()[-1] == (
        "Index public.i of table public.one is INVALID. Drop it if a revision creates it (DROP INDEX CONCURRENTLY "
        "public.i), otherwise rebuild it (REINDEX INDEX CONCURRENTLY public.i)."
    )
    assert "Retrying" not in result.stdout
    assert valid(database) == [(False,)]


def test_upgrade_rejects_an_invalid_index_until_it_is_dropped(indexed: Chain, database: URL) -> None:
    query(database, "INSERT INTO one VALUES (1), (1)")
    failed = run("upgrade", indexed, database)
    assert failed.code == 1 and "SQLSTATE 23505" in failed.stderr
    result = run("upgrade", indexed, database)
    assert result.code == 1
    assert "Index public.i of table public.one is INVALID." in result.stderr
    assert "Then retry. No changes were made." in result.stderr
    assert (revisions(database), valid(database)) == ({"one"}, [(False,)])
    query(database, "DELETE FROM one")
    query(database, "DROP INDEX CONCURRENTLY public.i")
    result = run("upgrade", indexed, database)
    assert (result.code, result.stderr) == (0, "")
    assert (revisions(database), valid(database)) == ({"two"}, [(True,)])


def test_name_of_an_invalid_index_is_qualified_and_quoted(indexed: Chain, database: URL) -> None:
    query(database, 'CREATE SCHEMA "Other"')
    leave_invalid_index(database, '"I"', '"Other"."Table"')
    result = run("upgrade", indexed, database)
    assert result.code == 1
    assert 'Index "Other"."I" of table "Other"."Table" is INVALID' in result.stderr
    assert '(REINDEX INDEX CONCURRENTLY "Other"."I")' in result.stderr
    assert revisions(database) == {"one"}


def test_invalid_index_of_another_role_and_schema_is_ignored(indexed: Chain, database: URL) -> None:
    name = f"{database.database}_other"
    query(database, f"CREATE ROLE {name}")
    try:
        query(database, "CREATE SCHEMA other")
        leave_invalid_index(database, "i", "other.one")
        query(database, f"ALTER TABLE other.one OWNER TO {name}")
        result = run("upgrade", indexed, database)
        assert (result.code, result.stderr) == (0, "")
        assert revisions(database) == {"two"}
    finally:
        query(database, f"DROP OWNED BY {name}")
        query(database, f"DROP ROLE {name}")


def test_invalid_index_is_ignored_if_nothing_is_pending(indexed: Chain, database: URL) -> None:
    assert run("upgrade", indexed, database).code == 0
    leave_invalid_index(database, "other", "others")
    assert run("upgrade", indexed, database).code == 0


def test_index_under_construction_is_not_invalid(indexed: Chain, database: URL) -> None:
    query(database, "CREATE TABLE busy (id int)")
    with session(database, autocommit=False) as writer:
        writer.execute("INSERT INTO busy VALUES (1)")
        with session(database) as builder:
            builder.execute("SET lock_timeout = 0")
            thread = threading.Thread(target=builder.execute, args=("CREATE INDEX CONCURRENTLY b ON busy (id)",))
            thread.start()
            sql = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('b') AND NOT indisvalid"
            until(lambda: query(database, sql), "the index is being built")
            result = run("upgrade", indexed, database)
            writer.rollback()
            thread.join()
    assert (result.code, result.stderr) == (0, "")


def test_invalid_index_fails_a_revision_that_hides_the_error(chain: Chain, database: URL) -> None:
    chain.add("one", 'op.execute("CREATE TABLE one AS SELECT 1 AS id UNION ALL SELECT 1")')
    index = CONCURRENTLY.format(unique=True).replace("\n", "\n    ")
    chain.add("two", f"try:\n    {index}\nexcept Exception:\n    pass")
    result = run("upgrade", chain, database)
    assert result.code == 1
    assert "all revisions succeeded, but: Index public.i of table public.one is INVALID" in result.stderr
    assert revisions(database) == {"two"}
    assert query(database, "SELECT outcome FROM pulumi_alembic.runs") == [("failed",)]


CREATE = """with op.get_context().autocommit_block():
    op.execute("CREATE UNIQUE INDEX CONCURRENTLY i ON one (id)")"""
DROP_AND_CREATE = """with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS i")
    op.execute("CREATE UNIQUE INDEX CONCURRENTLY i ON one (id)")"""
REBUILD = """with op.get_context().autocommit_block():
    op.execute("REINDEX INDEX CONCURRENTLY i")"""


@pytest.mark.parametrize(
    ("upgrade", "indexes"),
    [(CREATE, {"built": ["i"]}), (DROP_AND_CREATE, {"repaired": ["i"]}), (REBUILD, {"repaired": ["public.i"]})],
    ids=["created", "dropped", "rebuilt"],
)
def test_invalid_index_that_a_pending_revision_repairs_is_no_obstacle(
    chain: Chain, database: URL, upgrade: str, indexes: dict[str, list[str]]
) -> None:
    leave_invalid_index(database, "i", "one")
    query(database, "DELETE FROM one WHERE ctid = '(0,1)'")
    chain.add("one", upgrade, indexes=indexes)
    result = run("upgrade", chain, database)
    assert (result.code, result.stderr) == (0, "")
    assert valid(database) == [(True,)]


def test_index_of_a_killed_run_is_built_by_the_next_one(indexed: Chain, database: URL) -> None:
    indexed.entries[-1]["indexes"] = {"built": ["i"], "repaired": []}
    indexed.review()
    with session(database, autocommit=False) as writer:
        writer.execute("INSERT INTO one VALUES (1)")
        killed = start("upgrade", indexed, database)
        until(lambda: building(database), "the index waits for the writer")
        killed.process.kill()
        killed.finish()
        until(lambda: not runner_sessions(database), "the end of the killed run's session")
    assert valid(database) == [(False,)]
    result = run("upgrade", indexed, database)
    assert (result.code, result.stderr) == (0, "")
    assert "Dropping index public.i, which an interrupted attempt left" in result.stdout
    assert (valid(database), revisions(database)) == ([(True,)], {"two"})


def test_index_of_others_is_not_dropped_by_a_retry(indexed: Chain, database: URL) -> None:
    indexed.entries[-1]["indexes"] = {"built": ["i"], "repaired": []}
    indexed.review()
    query(database, "CREATE INDEX i ON one (id)")
    oid = query(database, "SELECT 'i'::regclass::oid")
    with session(database, autocommit=False) as holder:
        holder.execute("LOCK TABLE one IN SHARE UPDATE EXCLUSIVE MODE")
        running = start("upgrade", indexed, database, "--deadline-seconds=15")
        pid = waiting(database)
        query(database, f"SELECT pg_terminate_backend({pid})")
        running.wait_for("Retrying")
    result = running.finish()
    assert result.code == 1
    assert "SQLSTATE 42P07" in result.stderr
    assert query(database, "SELECT 'i'::regclass::oid") == oid
