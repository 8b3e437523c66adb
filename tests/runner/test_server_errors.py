"""Errors that a real server, or the way to it, raises in each driver: which are retried, and which are not.

The SQLSTATEs are those of runner_errors.py. `test_retries.py` raises each of them in a statement.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from network import forward, free_port
from server import Server, own_server
from sqlalchemy.engine import URL
from support import DRIVERS, Chain, Image, closed_gate, image_with, query, revisions, run, session, start, waiting
from test_env_py import write_env_for
from test_retries import GATED


@pytest.fixture(scope="module")
def secured(server: URL) -> Iterator[Server]:
    """Start a server whose role `secret` needs a password, and whose role `outsider` may not connect."""
    with own_server(server) as own:
        own.create("host all secret all scram-sha-256", "host all outsider all reject")
        own.start()
        query(own.url, "CREATE ROLE secret LOGIN PASSWORD 'right'")
        for statement in ("ROLE outsider LOGIN", "ROLE barred NOLOGIN", "ROLE guest LOGIN", "DATABASE closed"):
            query(own.url, f"CREATE {statement}")
        query(own.url, "REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
        query(own.url, "CREATE DATABASE shut ALLOW_CONNECTIONS false")
        yield own


def images(folder: Path) -> list[Image]:
    """Return an image for each driver."""
    folders = [folder / driver for driver in DRIVERS]
    for each in folders:
        each.mkdir()
    return [image_with(driver, each) for driver, each in zip(DRIVERS, folders)]


PERMANENT = {
    "28P01 a wrong password": ({"username": "secret", "password": "wrong"}, "password authentication failed"),
    "28000 a rejected host": ({"username": "outsider"}, "pg_hba.conf rejects connection"),
    "28000 an unknown role": ({"username": "stranger"}, 'role "stranger" does not exist'),
    "28000 a role without LOGIN": ({"username": "barred"}, "is not permitted to log in"),
    "3D000 a missing database": ({"database": "nowhere"}, 'database "nowhere" does not exist'),
    "42501 a database of others": ({"username": "guest", "database": "closed"}, "permission denied for database"),
    "55000 a database that is closed": ({"database": "shut"}, "is not currently accepting connections"),
}


@pytest.mark.parametrize("what", PERMANENT)
def test_rejected_session_is_not_retried(chain: Chain, secured: Server, tmp_path: Path, what: str) -> None:
    chain.add("one", "pass")
    changes, message = PERMANENT[what]
    url = secured.url.set(**changes)
    started = {image.driver: start("upgrade", chain, url, **image.variables) for image in images(tmp_path)}
    for driver, each in started.items():
        result = each.finish()
        assert result.code == 1, driver
        assert message in result.stderr and "Retrying" not in result.output, driver
        assert "wrong" not in result.output, driver


STATEMENTS = {
    "42601": "SELEC 1",
    "42P01": "SELECT * FROM nowhere",
    "42703": "SELECT nothing FROM pg_class",
    "42P07": "CREATE TABLE one (); CREATE TABLE one ()",
    "42501": "CREATE TABLE pg_catalog.mine ()",
    "23505": "CREATE TABLE one AS SELECT 1 AS id FROM generate_series(1, 2); CREATE UNIQUE INDEX ON one (id)",
    "22012": "SELECT 1 / 0",
}


@pytest.mark.parametrize(("state", "driver"), list(zip(STATEMENTS, DRIVERS * 2)))
def test_wrong_statement_is_not_retried(chain: Chain, role: URL, tmp_path: Path, state: str, driver: str) -> None:
    image = image_with(driver, tmp_path)
    write_env_for(chain, driver)
    chain.add("one", "\n".join(f'op.execute("{statement}")' for statement in STATEMENTS[state].split("; ")))
    result = run("upgrade", chain, role, **image.variables)
    assert result.code == 1
    assert f"SQLSTATE {state}" in result.stderr and "Retrying" not in result.output
    assert revisions(role) == set()


def test_connection_limit_is_retried(chain: Chain, database: URL, role: URL, tmp_path: Path) -> None:
    """SQLSTATE 53300."""
    chain.add("one", "pass")
    query(database, f"ALTER ROLE {role.username} CONNECTION LIMIT 0")
    started = {image.driver: start("upgrade", chain, role, **image.variables) for image in images(tmp_path)}
    for driver, each in started.items():
        each.wait_for("too many connections for")
        each.wait_for("Retrying")
        if driver != "psycopg":  # env.py's driver
            each.process.kill()
            each.finish()
    query(database, f"ALTER ROLE {role.username} CONNECTION LIMIT -1")
    result = started["psycopg"].finish()
    assert (result.code, result.stderr) == (0, "")


def test_unknown_host_is_retried(chain: Chain, database: URL, tmp_path: Path) -> None:
    """A Service may be younger than the Job."""
    chain.add("one", "pass")
    url = database.set(host="no-such-host.invalid")
    started = {image.driver: start("upgrade", chain, url, **image.variables) for image in images(tmp_path)}
    for each in started.values():
        each.wait_for("no-such-host.invalid|resolution|not known|No address")
        each.wait_for("Retrying")
        each.process.kill()
        each.finish()


def test_cut_connection_is_retried(chain: Chain, image: Image, database: URL) -> None:
    """SQLSTATE 08xxx, or none: the server does not know of it."""
    write_env_for(chain, image.driver or "")
    chain.add("one", GATED)
    port, target = free_port(), (database.host or "", database.port or 5432)
    with closed_gate(database):
        with forward(port, target):
            options = ["--lock-timeout-seconds=20"]
            url = database.set(host="127.0.0.1", port=port)
            started = start("upgrade", chain, url, *options, **image.variables)
            waiting(database)
        started.wait_for("Retrying")
    with forward(port, target):
        result = started.finish()
    assert result.code == 0, result.stderr
    assert revisions(database) == {"one"}


OWN_SESSIONS = {
    "psycopg": "import psycopg\npsycopg.connect({dsn!r}).close()\n",
    "psycopg2": "import psycopg2\npsycopg2.connect({dsn!r}).close()\n",
    "pg8000": "from pg8000 import dbapi\ndbapi.connect('postgres', 'localhost', 'postgres', {port}).close()\n",
    "asyncpg": """import asyncio, asyncpg
async def check():
    await (await asyncpg.connect({dsn!r})).close()
asyncio.run(check())
""",
}


@pytest.mark.parametrize("driver", DRIVERS)
def test_error_of_a_session_without_sqlalchemy_is_retried(chain: Chain, database: URL, driver: str) -> None:
    """env.py or a revision may use a driver itself: its errors are not SQLAlchemy's."""
    port, target = free_port(), (database.host or "", database.port or 5432)
    dsn = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    env = chain.folder / "alembic" / "env.py"
    env.write_text(OWN_SESSIONS[driver].format(dsn=dsn, port=port) + env.read_text())
    chain.add("one", "pass")
    started = start("upgrade", chain, database)
    started.wait_for("Retrying")
    with forward(port, target):
        result = started.finish()
    assert (result.code, result.stderr) == (0, "")


def test_crash_and_start_of_the_server_are_retried(chain: Chain, server: URL) -> None:
    """SQLSTATEs 57P02, 57P03, and refused connections, as a node that fails causes them."""
    with own_server(server) as own:
        own.create()
        own.start()
        chain.add("one", GATED)
        with closed_gate(own.url):
            started = start("upgrade", chain, own.url, "--lock-timeout-seconds=20")
            waiting(own.url)
            own.stop("immediate")
        started.wait_for("Revision one .*")
        started.wait_for("Retrying")
        started.wait_for("refused")
        own.start()
        result = started.finish()
        assert (result.code, result.stderr) == (0, "")
        assert revisions(own.url) == {"one"}


def test_server_that_shuts_down_is_retried_by_each_driver(chain: Chain, server: URL, tmp_path: Path) -> None:
    """SQLSTATE 57P03: it accepts no new sessions while others end."""
    with own_server(server) as own, ExitStack() as stack:
        own.create()
        own.start()
        chain.add("one", "pass")
        stack.enter_context(session(own.url))
        own.begin_to_stop()
        started = {image.driver: start("upgrade", chain, own.url, **image.variables) for image in images(tmp_path)}
        for driver, each in started.items():
            each.wait_for("the database system is shutting down")
            assert "57P03" in each.wait_for("SQLSTATE|Retrying") or driver.startswith("psycopg"), driver
            each.process.kill()
            each.finish()


def test_serialization_failure_is_retried(chain: Chain, database: URL) -> None:
    """SQLSTATE 40001."""
    query(database, "CREATE TABLE counter AS SELECT 1 AS value")
    query(database, f"ALTER DATABASE {database.database} SET default_transaction_isolation = 'repeatable read'")
    chain.add("one", f'op.execute("TABLE counter")\n{GATED}\nop.execute("UPDATE counter SET value = value + 1")')
    with closed_gate(database):
        started = start("upgrade", chain, database, "--lock-timeout-seconds=20")
        waiting(database)
        query(database, "UPDATE counter SET value = 10")
    started.wait_for("SQLSTATE 40001")
    started.wait_for("Retrying")
    result = started.finish()
    assert (result.code, result.stderr) == (0, "")
    assert query(database, "TABLE counter") == [(11,)]
