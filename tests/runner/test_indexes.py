"""CREATE INDEX CONCURRENTLY under the runner's lock, and the INVALID indexes that a failed one leaves."""

from __future__ import annotations

import threading

import pytest
from psycopg.errors import UniqueViolation
from sqlalchemy.engine import URL
from support import Chain, query, revisions, run, runner_sessions, session, start, until

CONCURRENTLY = """with op.get_context().autocommit_block():
    op.create_index("i", "one", ["id"], unique={unique}, postgresql_concurrently=True)"""


@pytest.fixture
def indexed(chain: Chain, database: URL) -> Chain:
    """A chain whose first revision, applied, makes a table, and whose second indexes it concurrently."""
    chain.add("one", 'op.execute("CREATE TABLE one (id int)")')
    assert run("upgrade", chain, database).code == 0
    chain.add("two", CONCURRENTLY.format(unique=True))
    return chain


def valid(url: URL) -> list[tuple[bool]]:
    """Whether index `i` is valid; empty if there is none."""
    return query(url, "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('i')")


def leave_invalid_index(url: URL, name: str, table: str) -> None:
    """Leaves an INVALID index as people do: by a unique one on rows that are not."""
    query(url, f"CREATE TABLE {table} AS SELECT 1 AS id UNION ALL SELECT 1")
    with pytest.raises(UniqueViolation):
        query(url, f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} (id)")


def building(url: URL) -> bool:
    """Whether the runner's CREATE INDEX waits for another session."""
    return any("CREATE UNIQUE INDEX CONCURRENTLY" in row[2] for row in runner_sessions(url)) and valid(url) == [
        (False,)
    ]


def test_an_index_is_built_while_others_write(indexed: Chain, database: URL) -> None:
    with session(database, autocommit=False) as writer:
        writer.execute("INSERT INTO one VALUES (1)")
        running = start("upgrade", indexed, database, "--lock-timeout-seconds=20")
        until(lambda: building(database), "the index waits for the writer")
        query(database, "INSERT INTO one VALUES (2)")
        writer.execute("INSERT INTO one VALUES (3)")
        writer.commit()
    result = running.finish()
    assert (result.code, result.stderr) == (0, "")
    assert valid(database) == [(True,)]
    assert query(database, "SELECT id FROM one ORDER BY 1") == [(1,), (2,), (3,)]


@pytest.mark.parametrize(
    ("bound", "sqlstate"), [("--statement-timeout-seconds=0.3", "57014"), ("--lock-timeout-seconds=0.3", "55P03")]
)
def test_a_bound_that_ends_it_names_the_index_it_left(indexed: Chain, database: URL, bound: str, sqlstate: str) -> None:
    with session(database, autocommit=False) as writer:
        writer.execute("INSERT INTO one VALUES (1)")
        result = run("upgrade", indexed, database, bound)
    assert result.code == 1
    assert "Revision two (Title of two) failed" in result.stderr and f"SQLSTATE {sqlstate}" in result.stderr
    assert result.stderr.splitlines()[-1] == (
        "Index public.i of table one is INVALID: DROP INDEX CONCURRENTLY public.i, if a revision is to build it anew, "
        "or else REINDEX INDEX CONCURRENTLY public.i."
    )
    assert "Trying again" not in result.stdout
    assert valid(database) == [(False,)]


def test_what_an_earlier_attempt_left_is_refused_until_a_person_has_dropped_it(indexed: Chain, database: URL) -> None:
    query(database, "INSERT INTO one VALUES (1), (1)")
    failed = run("upgrade", indexed, database)
    assert failed.code == 1 and "SQLSTATE 23505" in failed.stderr
    result = run("upgrade", indexed, database)
    assert result.code == 1
    assert "Index public.i of table one is INVALID: DROP INDEX CONCURRENTLY public.i" in result.stderr
    assert "Then try again: nothing was migrated." in result.stderr
    assert (revisions(database), valid(database)) == ({"one"}, [(False,)])
    query(database, "DELETE FROM one")
    query(database, "DROP INDEX CONCURRENTLY public.i")
    result = run("upgrade", indexed, database)
    assert (result.code, result.stderr) == (0, "")
    assert (revisions(database), valid(database)) == ({"two"}, [(True,)])


def test_an_index_of_any_schema_is_named_as_sql_needs_it(indexed: Chain, database: URL) -> None:
    query(database, 'CREATE SCHEMA "Other"')
    leave_invalid_index(database, '"I"', '"Other"."Table"')
    result = run("upgrade", indexed, database)
    assert result.code == 1
    assert 'Index "Other"."I" of table "Other"."Table" is INVALID' in result.stderr
    assert 'REINDEX INDEX CONCURRENTLY "Other"."I".' in result.stderr
    assert revisions(database) == {"one"}


def test_an_invalid_index_does_not_matter_when_nothing_is_pending(indexed: Chain, database: URL) -> None:
    assert run("upgrade", indexed, database).code == 0
    leave_invalid_index(database, "other", "others")
    assert run("upgrade", indexed, database).code == 0


def test_an_index_that_is_being_built_is_none_of_them(indexed: Chain, database: URL) -> None:
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


def test_an_index_that_a_revision_leaves_and_hides_fails_it_all_the_same(chain: Chain, database: URL) -> None:
    chain.add("one", 'op.execute("CREATE TABLE one AS SELECT 1 AS id UNION ALL SELECT 1")')
    index = CONCURRENTLY.format(unique=True).replace("\n", "\n    ")
    chain.add("two", f"try:\n    {index}\nexcept Exception:\n    pass")
    result = run("upgrade", chain, database)
    assert result.code == 1
    assert "the revisions went through, but: Index public.i of table one is INVALID" in result.stderr
    assert revisions(database) == {"two"}
    assert query(database, "SELECT outcome FROM unity_migrations.runs") == [("failed",)]
