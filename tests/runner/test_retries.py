"""Retries of transient errors."""

from __future__ import annotations

import threading
import time

from network import forward, free_port
from sqlalchemy.engine import URL
from support import GATE, Chain, closed_gate, query, revisions, session, start, tables, waiting

GATED = f'op.execute("CREATE TABLE gated ()")\nop.execute("SELECT pg_advisory_xact_lock({GATE})")'


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


def test_upgrade_stops_after_it_lost_the_lock(chain: Chain, database: URL) -> None:
    chain.add("one", GATED)
    chain.add("two", 'op.execute("CREATE TABLE two ()")')
    with closed_gate(database) as gate:
        run = start("upgrade", chain, database, "--lock-timeout-seconds=20")
        waiting(database)
        sql = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid <> %s"
        gate.execute(sql, [GATE])
    run.wait_for("1/2  one")
    run.wait_for("Retrying")
    result = run.finish()
    assert (result.code, result.stderr) == (0, "")
    assert "Database is at one; 1 of 2 revisions are pending" in result.stdout
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
