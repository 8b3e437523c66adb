"""Retries of transient errors."""

from __future__ import annotations

import threading
import time

import pytest
from network import forward, free_port
from sqlalchemy.engine import URL
from support import GATE, Chain, closed_gate, query, revisions, run, session, start, tables, waiting

TRANSIENT = [
    "08000",
    "08001",
    "08003",
    "08004",
    "08006",
    "08007",
    "25006",
    "40001",
    "40P01",
    "53300",
    "55P03",
    "57P01",
    "57P02",
    "57P03",
    "57P05",
]
PERMANENT = [
    "08P01",
    "22012",
    "23505",
    "28P01",
    "3D000",
    "42501",
    "42601",
    "42P01",
    "42P07",
    "53100",
    "55006",
    "57014",
    "57P04",
    "XX000",
]
GATED = f'op.execute("CREATE TABLE gated ()")\nop.execute("SELECT pg_advisory_xact_lock({GATE})")'


def raising(state: str) -> str:
    """Return an upgrade that raises an SQLSTATE at the first attempt."""
    condition = "IF nextval('attempts') = 1 THEN"
    return f"""op.execute("DO $$ BEGIN {condition} RAISE EXCEPTION USING ERRCODE = '{state}'; END IF; END $$")"""


def test_upgrade_waits_for_the_database_to_start(chain: Chain, database: URL) -> None:
    chain.add("one", "pass")
    port = free_port()
    run = start("upgrade", chain, database.set(host="127.0.0.1", port=port))
    run.wait_for("Retrying in 0.5s")
    run.wait_for("Retrying in 1.0s")
    with forward(port, (database.host or "", database.port or 5432)):
        result = run.finish()
    assert (result.code, result.stderr) == (0, "")
    assert revisions(database) == {"one"}


def test_revision_is_retried_after_a_lost_connection(chain: Chain, database: URL) -> None:
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    chain.add("two", GATED)
    with closed_gate(database) as gate:
        run = start("upgrade", chain, database, "--lock-timeout-seconds=20")
        pid = waiting(database)
        gate.execute("SELECT pg_terminate_backend(%s)", [pid])
        run.wait_for("Revision two .* was rolled back")
        run.wait_for("Retrying")
        assert (tables(database), revisions(database)) == ({"alembic_version", "one"}, {"one"})
    result = run.finish()
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout.count("1/2  one") == 1
    assert revisions(database) == {"two"}


def test_upgrade_plans_again_after_it_lost_the_lock(chain: Chain, database: URL) -> None:
    chain.add("one", GATED)
    chain.add("two", 'op.execute("CREATE TABLE two ()")')
    with closed_gate(database) as gate:
        run = start("upgrade", chain, database, "--lock-timeout-seconds=20")
        waiting(database)
        sql = (
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks"
            " WHERE locktype = 'advisory' AND granted AND objid <> %s"
        )
        gate.execute(sql, [GATE])
    run.wait_for("Revision one .* was rolled back")
    run.wait_for("the session that holds the advisory lock has ended")
    run.wait_for("Retrying")
    result = run.finish()
    assert (result.code, result.stderr) == (0, "")
    assert "Database is at no revision; 2 of 2 revisions are pending" in result.stdout
    assert revisions(database) == {"two"}


def test_blocked_revision_delays_readers_at_most_for_the_lock_timeout(chain: Chain, database: URL) -> None:
    query(database, "CREATE TABLE busy ()")
    chain.add("one", 'op.execute("ALTER TABLE busy ADD COLUMN id int")')
    with session(database, autocommit=False) as holder:
        holder.execute("SELECT * FROM busy")
        run = start("upgrade", chain, database, "--lock-timeout-seconds=0.5")
        waiting(database)
        started = time.monotonic()
        query(database, "SELECT * FROM busy")
        delay = time.monotonic() - started
        run.wait_for("SQLSTATE 55P03")
        run.wait_for("Statement: ALTER TABLE busy ADD COLUMN id int")
        run.wait_for("Retrying")
        holder.rollback()
    result = run.finish()
    assert (result.code, result.stderr) == (0, "")
    assert delay < 10  # without a lock timeout, the reader would wait for the holder, which waits for this line
    assert query(database, "SELECT attname::text FROM pg_attribute WHERE attrelid = 'busy'::regclass AND attnum > 0")


def test_deadlock_is_retried(chain: Chain, database: URL) -> None:
    query(database, "CREATE TABLE a ()")
    query(database, "CREATE TABLE b ()")
    chain.add("one", 'op.execute("LOCK TABLE a")\nop.execute("LOCK TABLE b")')
    with session(database, autocommit=False) as other:
        other.execute("SET deadlock_timeout = '20s'")  # so that the runner's session detects it
        other.execute("LOCK TABLE b")
        run = start("upgrade", chain, database)
        waiting(database)
        crossing = threading.Thread(target=other.execute, args=("LOCK TABLE a",))
        crossing.start()
        run.wait_for("SQLSTATE 40P01")
        run.wait_for("Retrying")
        crossing.join()
        other.commit()
    result = run.finish()
    assert (result.code, result.stderr) == (0, "")
    assert revisions(database) == {"one"}


@pytest.mark.parametrize("state", TRANSIENT)
def test_transient_state_is_retried(chain: Chain, database: URL, state: str) -> None:
    query(database, "CREATE SEQUENCE attempts")
    chain.add("one", raising(state))
    result = run("upgrade", chain, database)
    assert (result.code, result.stderr) == (0, "")
    assert f"SQLSTATE {state}" in result.stdout and "Retrying" in result.stdout
    assert revisions(database) == {"one"}


@pytest.mark.parametrize("state", PERMANENT)
def test_permanent_state_is_not_retried(chain: Chain, database: URL, state: str) -> None:
    query(database, "CREATE SEQUENCE attempts")
    chain.add("one", raising(state))
    result = run("upgrade", chain, database)
    assert result.code == 1
    assert f"SQLSTATE {state}" in result.stderr and "Retrying" not in result.output
    assert revisions(database) == set()
