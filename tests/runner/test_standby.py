"""Servers that are read-only: a standby, until it is promoted, and a database or a URL that wants it so."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from server import Server, own_server
from sqlalchemy.engine import URL
from support import Chain, query, revisions, run, start

CAUSE = "the server is a standby, which is read-only (SQLSTATE 25006)"


@pytest.fixture
def standby(server: URL, chain: Chain) -> Iterator[Server]:
    """Start a standby of a database at the first revision, and add a second one to the chain."""
    with own_server(server) as primary, own_server(server) as copy:
        primary.create()
        primary.start()
        chain.add("one", 'op.execute("CREATE TABLE one ()")')
        assert run("upgrade", chain, primary.url).code == 0
        primary.stop("fast")
        copy.copy(primary)
        copy.start()
        chain.add("two", 'op.execute("CREATE TABLE two ()")')
        yield copy


def test_standby_is_waited_for_until_it_is_promoted(chain: Chain, standby: Server) -> None:
    process = start("upgrade", chain, standby.url)
    process.wait_for(re.escape(CAUSE))
    process.wait_for("Retrying")
    standby.promote()
    result = process.finish()
    assert (result.code, result.stderr) == (0, "")
    assert revisions(standby.url) == {"two"}
    assert query(standby.url, "SELECT revisions, outcome FROM pulumi_alembic.runs ORDER BY id") == [
        (["one"], "succeeded"),
        (["two"], "succeeded"),
    ]


def test_standby_that_stays_one_is_named_at_the_deadline(chain: Chain, standby: Server) -> None:
    result = run("upgrade", chain, standby.url, "--deadline-seconds=6")
    assert result.code == 1
    assert CAUSE in result.stderr and "Not retrying: too close to the deadline of 6s." in result.stderr
    assert "Revision two" not in result.output and "Run not recorded" not in result.output
    assert "target_session_attrs=read-write" in result.stderr


def test_standby_is_no_obstacle_to_reading(chain: Chain, standby: Server) -> None:
    assert '"pending": ["two"]' in run("status", chain, standby.url).stdout
    chain.entries.pop()
    chain.heads = ["one"]
    (chain.folder / "alembic" / "versions" / "two.py").unlink()
    chain.review()
    result = run("wait", chain, standby.url.update_query_dict({"target_session_attrs": "standby"}))
    assert (result.code, result.stderr) == (0, "")


def test_read_only_database_is_named(chain: Chain, server: URL, database: URL) -> None:
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    query(database, f"ALTER DATABASE {database.database} SET default_transaction_read_only = on")
    process = start("upgrade", chain, database)
    process.wait_for("default_transaction_read_only is on.* 25006")
    process.wait_for("Retrying")
    query(server, f"ALTER DATABASE {database.database} RESET default_transaction_read_only")
    result = process.finish()
    assert (result.code, result.stderr) == (0, "")
    assert revisions(database) == {"one"}


@pytest.mark.parametrize("attributes", ["standby", "prefer-standby", "read-only"])
def test_url_that_asks_for_a_read_only_server_is_rejected(chain: Chain, database: URL, attributes: str) -> None:
    chain.add("one", "pass")
    result = run("upgrade", chain, database.update_query_dict({"target_session_attrs": attributes}))
    assert result.code == 1
    assert f"DATABASE_URL has target_session_attrs={attributes}, but a migration changes the database" in result.stderr
    assert "Retrying" not in result.output
    assert revisions(database) == set()
