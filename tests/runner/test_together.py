"""Concurrent and terminated runners."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from network import free_port
from sqlalchemy.engine import URL
from support import (
    GATE,
    LOCK_KEY,
    Chain,
    closed_gate,
    migration_lock,
    query,
    revisions,
    run,
    runner_sessions,
    start,
    tables,
    until,
    waiting,
)

GATED = f'op.execute("CREATE TABLE gated ()")\nop.execute("SELECT pg_advisory_xact_lock({GATE})")'


def test_one_of_two_runners_migrates(chain: Chain, database: URL) -> None:
    chain.add("one", GATED)
    with closed_gate(database):
        first = start("upgrade", chain, database, HOSTNAME="pod-1")
        waiting(database)
        second = start("upgrade", chain, database, HOSTNAME="pod-2")
        name = f"alembic-migrate pod-1:{first.process.pid}"
        line = second.wait_for("Waiting for another migration")
        sql = f"SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE application_name = '{name}'"
        holders = {f"pid {row[0]} ({name}) from 127.0.0.1 since 2" for row in query(database, sql)}
        assert any(holder in line for holder in holders), (line, holders)
    results = [first.finish(), second.finish()]
    assert [(result.code, result.stderr) for result in results] == [(0, ""), (0, "")]
    assert "1/1  one" in results[0].stdout
    assert "1/1  one" not in results[1].stdout and "Database is up to date (head one)" in results[1].stdout


def test_upgrade_fails_if_the_lock_is_held_until_the_deadline(chain: Chain, database: URL) -> None:
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    with migration_lock(database) as holder:
        holder.execute("SET application_name = 'other'")
        result = run("upgrade", chain, database, "--deadline-seconds=6")
        assert result.code == 1
        assert f"another migration holds the advisory lock: pid {holder.info.backend_pid} (other) from" in result.stderr
        assert tables(database) == set()


def test_lock_holder_with_hidden_details_is_named_by_pid(chain: Chain, database: URL) -> None:
    chain.add("one", "pass")
    role = f"{database.database}_role"
    query(database, f"CREATE ROLE {role} LOGIN PASSWORD 'role'")
    try:
        with migration_lock(database) as holder:
            url = database.set(username=role, password="role")
            result = run("upgrade", chain, url, "--deadline-seconds=6")
            assert result.code == 1
            assert f"holds the advisory lock: pid {holder.info.backend_pid}. Wait for it" in result.stderr
    finally:
        query(database, f"DROP ROLE {role}")


def test_wait_ends_after_another_runner_migrated(chain: Chain, database: URL) -> None:
    chain.add("one", "pass")
    waiter = start("wait", chain, database)
    waiter.wait_for("Waiting for one: database is at no revision")
    assert run("upgrade", chain, database).code == 0
    result = waiter.finish()
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[1:] == ["Database is up to date (head one)"]


def test_wait_times_out_with_actual_and_expected_revision(chain: Chain, database: URL) -> None:
    chain.add("one", "pass")
    assert run("upgrade", chain, database).code == 0
    chain.add("two", "pass")
    result = run("wait", chain, database, "--deadline-seconds=6")
    assert result.code == 1
    assert "timed out: the database is at one, expected two" in result.stderr
    assert revisions(database) == {"one"}


@pytest.mark.parametrize("statement", [f"SELECT pg_advisory_xact_lock({GATE})", "SELECT pg_sleep(600)"])
def test_sigterm_terminates_the_runner_and_its_sessions(
    chain: Chain, database: URL, tmp_path: Path, statement: str
) -> None:
    log = tmp_path / "termination-log"
    log.touch()
    chain.add("one", f'op.execute("CREATE TABLE one ()")\nop.execute("{statement}")')
    with closed_gate(database):
        running = start("upgrade", chain, database, "--lock-timeout-seconds=20", f"--termination-log={log}")
        until(lambda: [row for row in runner_sessions(database) if row[2] == statement], "the statement runs")
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(60)
        until(lambda: not runner_sessions(database), "no session is left")
    result = running.finish()
    assert result.code == 143
    assert "Migration interrupted by SIGTERM; the open transaction was rolled back." in result.stderr
    assert log.read_text() == result.stderr.strip()
    assert tables(database) <= {"alembic_version"}
    free = f"SELECT pg_try_advisory_lock({LOCK_KEY})"
    assert query(database, free) == [(True,)]


def test_sigterm_terminates_no_other_runner(chain: Chain, database: URL) -> None:
    chain.add("one", GATED)
    with closed_gate(database):
        first = start("upgrade", chain, database)
        waiting(database)
        second = start("upgrade", chain, database)
        second.wait_for("Waiting for another migration")
        second.process.send_signal(signal.SIGTERM)
        assert second.finish().code == 143
    result = first.finish()
    assert (result.code, result.stderr) == (0, "")
    assert "Retrying" not in result.stdout


def test_sigterm_terminates_a_runner_without_a_database(chain: Chain, database: URL) -> None:
    chain.add("one", "pass")
    running = start("upgrade", chain, database.set(host="127.0.0.1", port=free_port()))
    running.wait_for("Retrying")
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(60)
    assert running.finish().code == 143


def test_sigkill_releases_the_lock(chain: Chain, database: URL) -> None:
    chain.add("one", GATED)
    with closed_gate(database):
        killed = start("upgrade", chain, database)
        waiting(database)
        killed.process.kill()
        assert killed.finish().code == -signal.SIGKILL
    result = run("upgrade", chain, database)
    assert result.code == 0, result.stderr
    assert revisions(database) == {"one"}


def test_deadline_terminates_a_running_statement(chain: Chain, database: URL) -> None:
    chain.add("one", 'op.execute("CREATE TABLE one ()")\nop.execute("SELECT pg_sleep(600)")')
    result = run("upgrade", chain, database, "--deadline-seconds=5")
    assert result.code == 1
    assert "Migration timed out after 5s" in result.stderr
    until(lambda: not runner_sessions(database), "no session is left")
    assert "one" not in tables(database)
