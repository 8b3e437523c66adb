"""Connection poolers: one in transaction mode would let two migrations run at once."""

from __future__ import annotations

import pytest
from pooler import pooler
from sqlalchemy.engine import URL
from support import LOCK_KEY, Chain, query, revisions, run, tables

BOUNDS = {"lock_timeout": 5000, "statement_timeout": 300000}
"""What the runner asks for if it isn't told otherwise."""

ADVICE = "Set MIGRATION_DATABASE_URL to the URL of PostgreSQL itself"


@pytest.fixture
def one(chain: Chain) -> Chain:
    """A chain of one revision."""
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    return chain


def through(database: URL, pool: URL) -> URL:
    """A database's URL that leads through the pooler."""
    return database.set(host=pool.host, port=pool.port)


@pytest.mark.parametrize("mode", ["upgrade", "wait", "status"])
def test_a_pooler_that_refuses_the_sessions_settings(one: Chain, server: URL, database: URL, mode: str) -> None:
    with pooler(server, "transaction") as pool:
        result = run(mode, one, through(database, pool))
    assert result.code == 1
    assert "unsupported startup parameter" in result.stderr and ADVICE in result.stderr
    assert "Trying again" not in result.output
    assert tables(database) == set()


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_pooler_that_drops_the_sessions_settings(one: Chain, server: URL, database: URL, mode: str) -> None:
    with pooler(server, mode, ignore_startup_parameters="options") as pool:
        result = run("upgrade", one, through(database, pool), "--lock-timeout-seconds=1.5")
    assert result.code == 1
    assert (
        "DATABASE_URL leads to a connection pooler: the session's lock_timeout is 0 ms, not the 1500 ms"
        in result.stderr
    )
    assert ADVICE in result.stderr
    assert tables(database) == set()


@pytest.mark.parametrize("order", [0, 1])
def test_a_pooler_whose_sessions_share_processes(one: Chain, server: URL, database: URL, order: int) -> None:
    settings = {"ignore_startup_parameters": "options", "server_round_robin": order}
    with pooler(server, "transaction", bounds=BOUNDS, **settings) as pool:
        result = run("upgrade", one, through(database, pool))
        locks = query(
            database, f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = {LOCK_KEY & 0xFFFFFFFF}"
        )
    assert result.code == 1
    assert "DATABASE_URL leads to a connection pooler: two sessions have one server process" in result.stderr
    assert ADVICE in result.stderr
    assert (tables(database), locks) == (set(), [])


def test_a_pooler_that_takes_turns_between_idle_processes(one: Chain, server: URL, database: URL) -> None:
    settings = {"ignore_startup_parameters": "options", "server_round_robin": 1, "min_pool_size": 3}
    with pooler(server, "transaction", bounds=BOUNDS, **settings) as pool:
        result = run("upgrade", one, through(database, pool))
    assert result.code == 1
    assert "DATABASE_URL leads to a connection pooler" in result.stderr
    assert tables(database) == set()


def test_a_pooler_that_keeps_sessions_and_bounds_is_taken(one: Chain, server: URL, database: URL) -> None:
    with pooler(server, "session", bounds=BOUNDS, ignore_startup_parameters="options") as pool:
        result = run("upgrade", one, through(database, pool))
    assert (result.code, result.stderr) == (0, "")
    assert revisions(database) == {"one"}


def test_a_direct_url_goes_past_the_pooler(one: Chain, server: URL, database: URL) -> None:
    direct = database.render_as_string(hide_password=False)
    with pooler(server, "transaction") as pool:
        result = run("upgrade", one, through(database, pool), MIGRATION_DATABASE_URL=direct)
    assert (result.code, result.stderr) == (0, "")
    assert revisions(database) == {"one"}


def test_a_direct_url_that_is_none_is_named_and_not_shown(one: Chain, database: URL) -> None:
    result = run("upgrade", one, database, MIGRATION_DATABASE_URL="s3cret")
    assert result.code == 1
    assert "MIGRATION_DATABASE_URL (not shown) is no URL of a PostgreSQL database" in result.stderr
    assert "s3cret" not in result.output


def test_an_empty_direct_url_is_none(one: Chain, database: URL) -> None:
    assert run("upgrade", one, database, MIGRATION_DATABASE_URL="").code == 0
