"""Runners that are killed at random moments of a chain with concurrent indexes.

`UNITY_KILLS` sets the number of kills (default: 8).
"""

from __future__ import annotations

import os
import random
import signal
import time
from typing import Callable

import pytest
from sqlalchemy.engine import URL
from support import Chain, Run, query, revisions, run, runner_sessions, start, until

TABLE = 'op.execute("CREATE TABLE {0} AS SELECT generate_series(1, 20000) AS id")'
INDEX = """with op.get_context().autocommit_block():
    op.execute("CREATE INDEX CONCURRENTLY {0}_id ON {0} (id)")"""


def terminate_sessions(_run: Run, database: URL) -> None:
    """Terminate the runner's sessions, as an administrator or a failover does."""
    query(
        database,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE 'unity-migrate %'",
    )


def send(number: signal.Signals) -> Callable[[Run, URL], None]:
    """Return a kill by a signal."""
    return lambda run, _database: os.kill(run.process.pid, number)


KILLS = {"SIGKILL": send(signal.SIGKILL), "SIGTERM": send(signal.SIGTERM), "sessions": terminate_sessions}


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
    if query(database, "SELECT to_regclass('unity_migrations.runs')") != [(None,)]:
        recorded = query(database, "SELECT revisions FROM unity_migrations.runs ORDER BY id")
        logged = [id for (run,) in recorded for id in run]
        # A kill between a commit and its record loses that one entry.
        assert logged == [id for id in applied if id in logged]


@pytest.mark.parametrize("number", range(int(os.environ.get("UNITY_KILLS", "8"))))
def test_killed_runner_leaves_a_state_that_the_next_run_completes(
    alternating: Chain, database: URL, number: int
) -> None:
    choice = random.Random(number)
    kill = KILLS[choice.choice(list(KILLS))]
    process = start("upgrade", alternating, database)
    until(lambda: runner_sessions(database) or process.process.poll() is not None, "the runner connects")
    time.sleep(choice.uniform(0, 0.6))
    kill(process, database)
    process.finish()
    until(lambda: not runner_sessions(database), "the end of its sessions")
    verify_consistency(alternating, database)
    result = run("upgrade", alternating, database)
    assert (result.code, result.stderr) == (0, ""), number
    verify_consistency(alternating, database)
    assert revisions(database) == {"c_index"}
    assert query(database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    assert query(database, "SELECT outcome FROM unity_migrations.runs WHERE outcome = 'running'") == []
