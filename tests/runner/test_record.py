"""The run record."""

from __future__ import annotations

import signal
from typing import Any

import pytest
import runner_driver
import sqlalchemy
from psycopg.rows import dict_row
from runner_heartbeat import query_from_thread
from runner_roles import literal
from runner_url import parse_url
from sqlalchemy.engine import URL
from support import (
    DRIVERS,
    GATE,
    Chain,
    closed_gate,
    dsn,
    migration_lock,
    query,
    revisions,
    run,
    session,
    start,
    tables,
    waiting,
)

UNRECORDED = "Run not recorded: permission denied"
GATED = f'op.execute("SELECT pg_advisory_xact_lock({GATE})")'


def runs(url: URL) -> list[dict[str, Any]]:
    """Return the rows of the record, oldest first."""
    with session(url) as connection:
        return (
            connection.cursor(row_factory=dict_row).execute("SELECT * FROM pulumi_alembic.runs ORDER BY id").fetchall()
        )


def test_upgrade_is_recorded(chain: Chain, database: URL) -> None:
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    chain.add("two", 'op.execute("CREATE TABLE two ()")')
    result = run("upgrade", chain, database, HOSTNAME="pod-1", MIGRATION_IMAGE="localhost/unity:1")
    assert (result.code, result.stderr) == (0, "")
    (row,) = runs(database)
    started, finished = row.pop("started_at"), row.pop("finished_at")
    assert 0 < (finished - started).total_seconds() < result.seconds
    assert row == {
        "id": 1,
        "direction": "upgrade",
        "from_revisions": [],
        "to_revisions": ["two"],
        "target": ["two"],
        "revisions": ["one", "two"],
        "image": "localhost/unity:1",
        "plan_hash": chain.plan_hash("localhost/unity:1", "upgrade", [], "one", "two"),
        "outcome": "succeeded",
        "error": None,
        "runner": "pod-1",
        "blocked_seconds": 0,
        "rollback": {
            "version": 1,
            "table": {"schema": None, "name": "alembic_version"},
            "revisions": [
                {"id": "one", "after": None, "blocker": None},
                {"id": "two", "after": "one", "blocker": None},
            ],
        },
    }


def test_run_without_pending_revisions_is_not_recorded(chain: Chain, database: URL) -> None:
    chain.add("one", "pass")
    assert run("upgrade", chain, database).code == 0
    state = "SELECT xmin::text, ctid::text, * FROM pulumi_alembic.runs"
    before = query(database, state)
    assert run("upgrade", chain, database).code == 0
    assert query(database, state) == before


def test_run_without_pending_revisions_creates_no_schema(chain: Chain, database: URL) -> None:
    chain.add("one", "pass")
    assert run("upgrade", chain, database).code == 0
    query(database, "DROP SCHEMA pulumi_alembic CASCADE")
    assert run("upgrade", chain, database).code == 0
    assert query(database, "SELECT to_regnamespace('pulumi_alembic')") == [(None,)]


def test_failure_is_recorded_with_its_message(chain: Chain, database: URL) -> None:
    chain.add("one", "pass")
    chain.add("two", 'op.execute("SELECT 1 / 0")')
    result = run("upgrade", chain, database)
    assert result.code == 1
    (row,) = runs(database)
    assert (row["outcome"], row["revisions"], row["to_revisions"]) == ("failed", ["one"], ["one"])
    assert row["error"] == result.stderr.strip()
    assert row["finished_at"]


def test_each_attempt_is_recorded(chain: Chain, database: URL) -> None:
    query(database, "CREATE TABLE busy ()")
    chain.add("one", 'op.execute("ALTER TABLE busy ADD COLUMN id int")')
    with session(database, autocommit=False) as holder:
        holder.execute("SELECT * FROM busy")
        running = start("upgrade", chain, database, "--lock-timeout-seconds=0.2")
        running.wait_for("Retrying")
        holder.rollback()
    assert running.finish().code == 0
    first, *_, last = runs(database)
    assert (first["outcome"], last["outcome"]) == ("failed", "succeeded")
    assert "SQLSTATE 55P03" in first["error"]


def test_next_runner_closes_the_row_of_a_killed_runner(chain: Chain, database: URL) -> None:
    chain.add("one", GATED)
    with closed_gate(database):
        killed = start("upgrade", chain, database)
        waiting(database)
        (row,) = runs(database)
        assert (row["outcome"], row["finished_at"]) == ("running", None)
        killed.process.kill()
        killed.finish()
    assert run("upgrade", chain, database).code == 0
    first, second = runs(database)
    assert (first["outcome"], second["outcome"]) == ("interrupted", "succeeded")
    assert first["finished_at"] and "terminated without a message" in first["error"]


def test_waiting_runner_does_not_close_the_row_of_the_lock_holder(chain: Chain, database: URL) -> None:
    chain.add("one", "pass")
    assert run("upgrade", chain, database).code == 0
    query(database, "UPDATE pulumi_alembic.runs SET outcome = 'running', finished_at = NULL")
    with migration_lock(database):
        assert run("upgrade", chain, database, "--deadline-seconds=6").code == 1
        waiter = start("upgrade", chain, database)
        waiter.wait_for("Waiting for another migration")
        waiter.process.send_signal(signal.SIGTERM)
        assert waiter.finish().code == 143
    assert [row["outcome"] for row in runs(database)] == ["running"]


def test_interruption_is_recorded(chain: Chain, database: URL) -> None:
    chain.add("one", GATED)
    with closed_gate(database):
        running = start("upgrade", chain, database, "--lock-timeout-seconds=20")
        waiting(database)
        running.process.send_signal(signal.SIGTERM)
        result = running.finish()
    assert result.code == 143
    (row,) = runs(database)
    assert row["outcome"] == "interrupted"
    assert row["error"] == result.stderr.strip()


def test_interruption_stays_recorded_when_its_statement_fails(chain: Chain, database: URL) -> None:
    chain.add("one", GATED)
    with closed_gate(database):
        running = start("upgrade", chain, database, "--lock-timeout-seconds=20")
        waiting(database)
        # What the thread of a signal does, one after the other: the session of the migration may be the first to go.
        query(database, "UPDATE pulumi_alembic.runs SET outcome = 'interrupted', error = 'by SIGTERM'")
        query(database, f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE objid = {GATE} AND NOT granted")
        waiting(database)
    assert running.finish().code == 0
    assert [(row["outcome"], row["error"]) for row in runs(database)] == [
        ("interrupted", "by SIGTERM"),
        ("succeeded", None),
    ]


def test_role_without_create_schema_migrates_without_a_record(chain: Chain, database: URL, role: URL) -> None:
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    result = run("upgrade", chain, role)
    assert (result.code, result.stderr) == (0, "")
    assert len([line for line in result.stdout.splitlines() if line.startswith(UNRECORDED)]) == 1
    assert (tables(database), revisions(database)) == ({"alembic_version", "one"}, {"one"})


def test_role_that_cannot_read_the_record_migrates_without_it(chain: Chain, database: URL, role: URL) -> None:
    query(database, "CREATE SCHEMA pulumi_alembic")
    query(database, "CREATE TABLE pulumi_alembic.runs (id int)")
    chain.add("one", "pass")
    result = run("upgrade", chain, role)
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout.count(UNRECORDED) == 1


def test_password_is_not_recorded(chain: Chain, database: URL) -> None:
    chain.add("one", 'import os\nraise RuntimeError(os.environ["DATABASE_URL"])')
    url = database.set(password="s3cret-w0rd")
    assert run("upgrade", chain, url).code == 1
    (row,) = runs(database)
    assert "[secret]" in row["error"] and "s3cret-w0rd" not in row["error"]


@pytest.mark.parametrize("driver", DRIVERS)
def test_any_driver_reads_a_literal_as_its_value(server: URL, driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_driver, "DRIVERS", (driver,))
    value = "50%s of 'é' \\' $1 :name %(name)s 😀"
    with runner_driver.open_session(parse_url("DATABASE_URL", dsn(server)), "", "", None) as session:
        assert query_from_thread(session)(f"SELECT CAST({literal(value)} AS text)") == value
        session.execute(sqlalchemy.text("SET standard_conforming_strings = off"))
        assert query_from_thread(session)(f"SELECT CAST({literal(value)} AS text)") == value
