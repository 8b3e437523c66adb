"""How long a run blocks other sessions: in the run record, and in its view for exporters."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy.engine import URL
from support import GATE, Chain, Image, closed_gate, query, run, session, start, until, waiting
from test_env_py import write_env_for

RECORDED = "SELECT outcome, blocked_seconds FROM pulumi_alembic.runs ORDER BY id"
EARLIER = "ALTER TABLE pulumi_alembic.runs DROP COLUMN blocked_seconds CASCADE"
READS = "SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'busy'::regclass"


@pytest.fixture
def busy(chain: Chain, database: URL) -> Chain:
    """Return a chain of one revision, which holds a lock of a table until the gate opens."""
    query(database, "CREATE TABLE busy ()")
    lock, gate = "LOCK TABLE busy", f"SELECT pg_advisory_xact_lock({GATE})"
    chain.add("one", f'op.execute("{lock}")\nop.execute("{gate}")')
    return chain


@contextmanager
def blocked(database: URL) -> Iterator[None]:
    """Read the table, which the runner has locked, in this block. In the end, open the gate."""
    waiting(database)
    thread = threading.Thread(target=query, args=(database, "SELECT * FROM busy"))
    thread.start()
    until(lambda: query(database, READS), "the reader waits")
    yield
    thread.join(60)


def upgrade_blocking(chain: Chain, database: URL, seconds: float, **variables: str) -> None:
    """Run an upgrade that blocks a reader for some seconds."""
    with closed_gate(database) as gate:
        running = start("upgrade", chain, database, "--lock-timeout-seconds=20", **variables)
        with blocked(database):
            time.sleep(seconds)
            gate.execute("SELECT pg_advisory_unlock(%s)", [GATE])
    result = running.finish()
    assert (result.code, result.stderr) == (0, "")


def test_time_in_which_others_wait_for_a_run_is_recorded(busy: Chain, database: URL, image: Image) -> None:
    write_env_for(busy, image.driver or "")
    upgrade_blocking(busy, database, 3, **image.variables)
    ((outcome, seconds),) = query(database, RECORDED)
    assert outcome == "succeeded"
    assert 2.4 <= seconds <= 4


def test_time_in_which_a_run_waits_for_others_is_not(chain: Chain, database: URL) -> None:
    query(database, "CREATE TABLE busy ()")
    chain.add("one", 'op.execute("LOCK TABLE busy")')
    with session(database, autocommit=False) as holder:
        holder.execute("SELECT * FROM busy")
        running = start("upgrade", chain, database, "--lock-timeout-seconds=20")
        waiting(database)
        time.sleep(2)
        holder.rollback()
    assert running.finish().code == 0
    assert query(database, RECORDED) == [("succeeded", 0)]


def test_time_until_an_interruption_is_recorded(busy: Chain, database: URL) -> None:
    with closed_gate(database):
        running = start("upgrade", busy, database, "--lock-timeout-seconds=20")
        with blocked(database):
            time.sleep(2)
            running.process.send_signal(signal.SIGTERM)
    assert running.finish().code == 143
    ((outcome, seconds),) = query(database, RECORDED)
    assert outcome == "interrupted"
    assert seconds >= 1.4


def test_table_of_an_earlier_release_gets_the_column_and_the_view(chain: Chain, database: URL) -> None:
    chain.add("one", "pass")
    assert run("upgrade", chain, database).code == 0
    query(database, EARLIER)
    chain.add("two", "pass")
    assert run("upgrade", chain, database).code == 0
    assert query(database, RECORDED) == [("succeeded", None), ("succeeded", 0)]
    assert query(database, "SELECT last_run_blocked_seconds FROM pulumi_alembic.metrics") == [(0,)]


def test_table_of_another_role_stays_as_it_is(chain: Chain, database: URL, role: URL) -> None:
    chain.add("one", "pass")
    assert run("upgrade", chain, database).code == 0
    query(database, EARLIER)
    query(database, f"GRANT ALL ON SCHEMA pulumi_alembic TO {role.username}")
    query(database, f"GRANT ALL ON pulumi_alembic.runs, alembic_version TO {role.username}")
    chain.add("two", "pass")
    result = run("upgrade", chain, role)
    assert (result.code, result.stderr) == (0, "")
    assert "not recorded" not in result.stdout
    rows = query(database, "SELECT outcome, rollback IS NOT NULL FROM pulumi_alembic.runs ORDER BY id")
    assert rows == [("succeeded", True)] * 2
    assert query(database, "SELECT to_regclass('pulumi_alembic.metrics')") == [(None,)]


def metrics(url: URL) -> list[dict[str, Any]]:
    """Return the rows that an exporter reads."""
    with session(url) as connection:
        cursor = connection.cursor(row_factory=dict_row)
        return cursor.execute("SELECT * FROM pulumi_alembic.metrics").fetchall()


def test_exporter_reads_the_last_run_without_its_error(chain: Chain, database: URL, role: URL) -> None:
    chain.add("one", "pass")
    chain.add("two", 'op.execute("SELECT 1 / 0")')
    chain.add("three", "pass")
    assert run("upgrade", chain, database).code == 1
    query(database, f"GRANT USAGE ON SCHEMA pulumi_alembic TO {role.username}")
    query(database, f"GRANT SELECT ON pulumi_alembic.metrics TO {role.username}")
    (row,) = metrics(role)
    started, seconds = row.pop("last_run_start_timestamp_seconds"), row.pop("last_run_seconds")
    assert time.time() - 60 < started < time.time()
    assert 0 < seconds < 60
    assert row == {"direction": "upgrade", "outcome": "failed", "last_run_blocked_seconds": 0, "revisions_behind": 2}
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(role, "SELECT * FROM pulumi_alembic.runs")
    assert run("downgrade", chain, database, "--target=base").code == 0
    (row,) = metrics(role)
    assert (row["direction"], row["outcome"], row["revisions_behind"]) == ("downgrade", "succeeded", None)
