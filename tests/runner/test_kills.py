"""Runners that are killed, or lose the server, at random moments of a chain with concurrent indexes.

`UNITY_KILLS` sets the number of kills (default: 8).
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from typing import Callable

import pytest
from server import Server, own_server
from sqlalchemy.engine import URL
from support import Chain, Run, query, revisions, run, runner_sessions, start, temporary_database, until

TABLE = 'op.execute("CREATE TABLE {0} AS SELECT generate_series(1, 20000) AS id")'
INDEX = """with op.get_context().autocommit_block():
    op.execute("CREATE INDEX CONCURRENTLY {0}_id ON {0} (id)")"""


Kill = Callable[[Run, Server, URL], None]


def send(number: signal.Signals) -> Kill:
    """Return a kill by a signal."""
    return lambda run, _server, _database: os.kill(run.process.pid, number)


def terminate_sessions(_run: Run, _server: Server, database: URL) -> None:
    """Terminate the runner's sessions, as an administrator or a failover does."""
    query(
        database,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE 'alembic-migrate %'",
    )


def restart_server(_run: Run, server: Server, _database: URL) -> None:
    """Restart the server as after a crash."""
    server.restart()


KILLS: dict[str, Kill] = {
    "SIGKILL": send(signal.SIGKILL),
    "SIGTERM": send(signal.SIGTERM),
    "sessions": terminate_sessions,
    "server": restart_server,
}
SURVIVED = ("sessions", "server")
"""Kills after which the runner itself continues."""


@pytest.fixture(scope="module")
def restarted(server: URL) -> Iterator[Server]:
    """Start a server that the tests may restart."""
    with own_server(server) as own:
        own.create()
        own.start()
        yield own


@pytest.fixture
def database(restarted: Server) -> Iterator[URL]:
    """Create an empty database."""
    with temporary_database(restarted.url) as url:
        yield url


@pytest.fixture
def alternating(chain: Chain) -> Chain:
    """Return a chain of tables, each with a concurrent index in a revision of its own."""
    for name in ("a", "b", "c"):
        chain.add(name, TABLE.format(name))
        chain.add(f"{name}_index", INDEX.format(name), indexes={"built": [f"{name}_id"], "repaired": []})
    return chain


def verify_consistency(chain: Chain, database: URL) -> None:
    """Check that the version table, the schema, and the run record agree."""
    ids = [entry["id"] for entry in chain.entries]
    (row,) = revisions(database) or {None}
    applied = ids[: ids.index(row) + 1] if row else []
    tables = {name for (name,) in query(database, "SELECT relname FROM pg_class WHERE relname ~ '^[abc]$'")}
    assert tables == {id for id in applied if len(id) == 1}
    valid = {
        name
        for (name,) in query(
            database,
            "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = oid "
            "WHERE relname ~ '^[abc]_id$' AND indisvalid",
        )
    }
    built = {id.replace("_index", "_id") for id in applied if len(id) > 1}
    # An index is complete before its revision is recorded, because neither is in a transaction.
    assert built <= valid and len(valid - built) <= 1
    verify_record(ids, len(applied), database)


def verify_record(ids: list[str], applied: int, database: URL) -> None:
    """Check that the runs lead from one to the next, up to the database's revision.

    :param applied: Number of revisions that are applied.
    """
    if query(database, "SELECT to_regclass('pulumi_alembic.runs')") == [(None,)]:
        assert applied == 0
        return
    runs = query(database, "SELECT from_revisions, revisions, outcome FROM pulumi_alembic.runs ORDER BY id")
    position, was_interrupted = 0, False
    for before, recorded, outcome in runs:
        started = ids.index(before[0]) + 1 if before else 0
        # A kill between a commit and its record loses that one entry.
        assert started - position in (0, was_interrupted), runs
        assert recorded == ids[started : started + len(recorded)], runs
        position, was_interrupted = started + len(recorded), outcome != "succeeded"
    assert applied - position in (0, was_interrupted), runs


@pytest.mark.parametrize("number", range(int(os.environ.get("UNITY_KILLS", "8"))))
def test_killed_runner_leaves_a_state_that_the_next_run_completes(
    alternating: Chain, restarted: Server, database: URL, number: int
) -> None:
    choice = random.Random(number)
    name = list(KILLS)[number % len(KILLS)]
    process = start("upgrade", alternating, database)
    until(lambda: runner_sessions(database) or process.process.poll() is not None, "the runner connects")
    time.sleep(choice.uniform(0, 0.6))
    KILLS[name](process, restarted, database)
    killed = process.finish()
    if name in SURVIVED:
        assert (killed.code, killed.stderr) == (0, ""), (number, name)
    until(lambda: not runner_sessions(database), "the end of its sessions")
    verify_consistency(alternating, database)
    result = run("upgrade", alternating, database)
    assert (result.code, result.stderr) == (0, ""), (number, name)
    verify_consistency(alternating, database)
    assert revisions(database) == {"c_index"}
    assert query(database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    assert query(database, "SELECT outcome FROM pulumi_alembic.runs WHERE outcome = 'running'") == []
