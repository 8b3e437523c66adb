"""Connection poolers. In transaction mode, two migrations could run concurrently."""

from __future__ import annotations

import pytest
from pooler import pooler
from sqlalchemy.engine import URL
from support import LOCK_KEY, Chain, query, revisions, run, session, tables, until

TIMEOUTS = {"lock_timeout": 5000, "statement_timeout": 300000}
"""The runner's defaults, in milliseconds."""

ADVICE = "Set MIGRATION_DATABASE_URL to PostgreSQL's own URL"


@pytest.fixture
def one(chain: Chain) -> Chain:
    """Return a chain of one revision."""
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    return chain


def through(database: URL, pool: URL) -> URL:
    """Return the URL of a database behind the pooler."""
    return database.set(host=pool.host, port=pool.port)


@pytest.mark.parametrize("mode", ["upgrade", "wait", "status"])
def test_pooler_that_rejects_session_settings_is_detected(one: Chain, server: URL, database: URL, mode: str) -> None:
    with pooler(server, "transaction") as pool:
        result = run(mode, one, through(database, pool))
    assert result.code == 1
    assert "unsupported startup parameter" in result.stderr and ADVICE in result.stderr
    assert "Retrying" not in result.output
    assert tables(database) == set()


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_pooler_that_drops_session_settings_is_detected(one: Chain, server: URL, database: URL, mode: str) -> None:
    with pooler(server, mode, ignore_startup_parameters="options") as pool:
        result = run("upgrade", one, through(database, pool), "--lock-timeout-seconds=1.5")
    assert result.code == 1
    assert "DATABASE_URL points to a connection pooler: lock_timeout is 0ms, expected 1500ms" in result.stderr
    assert ADVICE in result.stderr
    assert tables(database) == set()


@pytest.mark.parametrize("order", [0, 1])
def test_pooler_whose_sessions_share_a_process_is_detected(one: Chain, server: URL, database: URL, order: int) -> None:
    settings = {"ignore_startup_parameters": "options", "server_round_robin": order}
    with pooler(server, "transaction", timeouts=TIMEOUTS, **settings) as pool:
        result = run("upgrade", one, through(database, pool))
        locks = f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = {LOCK_KEY & 0xFFFFFFFF}"
        until(lambda: not query(database, locks), "PgBouncer closed the sessions with the lock")
    assert result.code == 1
    assert "DATABASE_URL points to a connection pooler: two sessions share a server process" in result.stderr
    assert ADVICE in result.stderr
    assert tables(database) == set()


def test_pooler_that_rotates_idle_processes_is_detected(one: Chain, server: URL, database: URL) -> None:
    settings = {"ignore_startup_parameters": "options", "server_round_robin": 1, "min_pool_size": 3}
    processes = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with pooler(server, "transaction", timeouts=TIMEOUTS, **settings) as pool, session(through(database, pool)):
        until(lambda: len(query(database, processes)) >= 3, "PgBouncer opened its minimum of sessions")
        result = run("upgrade", one, through(database, pool))
    assert result.code == 1
    assert "DATABASE_URL points to a connection pooler" in result.stderr
    assert tables(database) == set()


def test_pooler_in_session_mode_with_timeouts_is_accepted(one: Chain, server: URL, database: URL) -> None:
    with pooler(server, "session", timeouts=TIMEOUTS, ignore_startup_parameters="options") as pool:
        result = run("upgrade", one, through(database, pool))
    assert (result.code, result.stderr) == (0, "")
    assert revisions(database) == {"one"}


def test_direct_url_bypasses_the_pooler(one: Chain, server: URL, database: URL) -> None:
    direct = database.render_as_string(hide_password=False)
    with pooler(server, "transaction") as pool:
        result = run("upgrade", one, through(database, pool), MIGRATION_DATABASE_URL=direct)
    assert (result.code, result.stderr) == (0, "")
    assert revisions(database) == {"one"}


def test_invalid_direct_url_is_rejected_without_its_value(one: Chain, database: URL) -> None:
    result = run("upgrade", one, database, MIGRATION_DATABASE_URL="s3cret")
    assert result.code == 1
    assert "MIGRATION_DATABASE_URL (value hidden) is not a PostgreSQL URL" in result.stderr
    assert "s3cret" not in result.output


def test_empty_direct_url_is_ignored(one: Chain, database: URL) -> None:
    assert run("upgrade", one, database, MIGRATION_DATABASE_URL="").code == 0
