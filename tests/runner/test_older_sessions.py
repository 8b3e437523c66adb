"""Sessions of older releases, for which a revision waits that breaks their code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.engine import URL
from support import LOCK_KEY, Chain, query, revisions, run, session, start

WAITS = "Revision contract waits for sessions of releases before expand: web@first (1)"


@pytest.fixture
def expanded(chain: Chain, role: URL) -> Chain:
    """Return a chain whose third revision breaks code of the first; a role with few rights has applied the second."""
    chain.add("first", "pass")
    chain.add("expand", "pass")
    assert run("upgrade", chain, role).code == 0
    chain.add("contract", "pass", blocker="drops a column", breaks=True)
    return chain


@contextmanager
def release(url: URL, name: str) -> Iterator[None]:
    """Hold a session of a release."""
    with session(url.update_query_dict({"application_name": name})):
        yield


def test_breaking_revision_waits_for_sessions_of_older_releases(expanded: Chain, database: URL, role: URL) -> None:
    with release(database, "web@first"):
        process = start("upgrade", expanded, role)
        assert WAITS in process.wait_for("waits")
        assert revisions(database) == {"expand"}
    result = process.finish()
    assert (result.code, revisions(database)) == (0, {"contract"})


@pytest.mark.parametrize("driver", ["psycopg", "pg8000"])
def test_lost_lock_is_retried_while_a_revision_waits(expanded: Chain, database: URL, role: URL, driver: str) -> None:
    holders = f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = {LOCK_KEY & 0xFFFFFFFF}"
    with release(database, "web@first"):
        process = start("upgrade", expanded, role.set(drivername=f"postgresql+{driver}"))
        process.wait_for("waits")
        query(database, f"SELECT pg_terminate_backend(pid) FROM ({holders}) holder")
        process.wait_for("Retrying")
    result = process.finish()
    assert (result.code, revisions(database)) == (0, {"contract"})


def test_breaking_revision_fails_at_the_deadline(expanded: Chain, database: URL, role: URL) -> None:
    with release(database, "web@first"):
        result = run("upgrade", expanded, role, "--deadline-seconds=4")
    assert result.code == 1
    assert "breaks their code (drops a column), but there are still sessions of releases before expand" in result.stderr
    assert revisions(database) == {"expand"}


@pytest.mark.parametrize("name", ["web@expand", "web@contract", "web@unknown", "web", "first", ""])
def test_breaking_revision_does_not_wait_for_other_sessions(
    expanded: Chain, database: URL, role: URL, name: str
) -> None:
    with release(database, name):
        result = run("upgrade", expanded, role)
    assert (result.code, result.stderr) == (0, "")
    assert "waits" not in result.stdout


def test_first_migration_and_compatible_revisions_do_not_wait(chain: Chain, database: URL) -> None:
    chain.add("one", "pass", blocker="unknown", breaks=True)
    chain.add("two", "pass", blocker="unknown", breaks=True)
    chain.add("three", "pass")
    with release(database, "web@one"):
        assert "waits" not in run("upgrade", chain, database).stdout
        chain.add("four", "pass", blocker="not rehearsed")
        assert "waits" not in run("upgrade", chain, database).stdout
