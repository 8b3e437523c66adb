"""Every way in which an env.py connects: its own arguments, drivers, pools, transactions, and databases."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from network import forward, free_port
from sqlalchemy.engine import URL
from support import DRIVERS, Chain, Image, dsn, query, revisions, run, session, start, tables, temporary_database, until

SYNC = """
import os
from alembic import context
from sqlalchemy import create_engine, pool, text, event

url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+{driver}://", 1)
{engine}
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
ASYNC = """
import asyncio, os
from alembic import context
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import create_async_engine

url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+{driver}://", 1)
{engine}

def steps(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

async def online():
    async with engine.connect() as connection:
        await connection.run_sync(steps)

asyncio.run(online())
"""
ARGUMENTS = {
    "psycopg": '{"options": "-c lock_timeout=0 -c timezone=UTC", "application_name": "shop"}',
    "psycopg2": '{"options": "-c lock_timeout=0 -c timezone=UTC", "application_name": "shop"}',
    "pg8000": '{"application_name": "shop"}',
    "asyncpg": '{"server_settings": {"lock_timeout": "0", "application_name": "shop"}}',
}
ENGINES = {
    "plain": "engine = {create}(url, poolclass=pool.NullPool)",
    "arguments": "engine = {create}(url, poolclass=pool.NullPool, connect_args={arguments})",
    "pooled": "engine = {create}(url, pool_size=1, max_overflow=0)",
    "settings": "import sys; sys.path.insert(0, os.getcwd())\nfrom shop import settings\n"
    "engine = {create}(settings.url, poolclass=pool.NullPool)",
}
SETTINGS = """
import os

class settings:
    url = os.environ["SHOP_URL"].replace("postgresql://", "postgresql+{driver}://", 1)
"""
LIMITS = 'op.execute("CREATE TABLE limits AS SELECT name, setting FROM pg_settings WHERE name IN {names}")'.format(
    names="('lock_timeout', 'statement_timeout', 'application_name')"
)


def env_py(chain: Chain, driver: str, shape: str) -> None:
    """Write an env.py that connects with a driver and an engine of a shape."""
    is_async = driver == "asyncpg"
    create = "create_async_engine" if is_async else "create_engine"
    engine = ENGINES[shape].format(create=create, arguments=ARGUMENTS[driver])
    text = (ASYNC if is_async else SYNC).format(driver=driver, engine=engine)
    write_env(chain, text)
    (chain.folder / "shop.py").write_text(SETTINGS.format(driver=driver), encoding="utf-8")


def write_env(chain: Chain, text: str) -> None:
    """Write an env.py."""
    (chain.folder / "alembic" / "env.py").write_text(text, encoding="utf-8")


def write_env_for(chain: Chain, driver: str) -> None:
    """Write an env.py that connects with the driver, whatever the URL says."""
    template = ASYNC if driver == "asyncpg" else SYNC
    create = "create_async_engine" if driver == "asyncpg" else "create_engine"
    engine = f"url = re.sub('^postgres[^:]*', 'postgresql+{driver}', os.environ['DATABASE_URL'])\n"
    engine += f"engine = {create}(url, poolclass=pool.NullPool)"
    text = template.replace("import os\n", "import os, re\n").replace(
        "import asyncio, os\n", "import asyncio, os, re\n"
    )
    (chain.folder / "alembic" / "env.py").write_text(text.format(driver=driver, engine=engine), encoding="utf-8")


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> str:
    """Return the name of each driver."""
    return str(request.param)


@pytest.fixture(params=list(ENGINES))
def shape(request: pytest.FixtureRequest) -> str:
    """Return the name of each shape of an engine."""
    return str(request.param)


def test_limits_and_name_hold_for_every_session(chain: Chain, database: URL, driver: str, shape: str) -> None:
    env_py(chain, driver, shape)
    chain.add("one", LIMITS)
    chain.add("two", 'op.execute("CREATE TABLE two ()")')
    limits = ("--lock-timeout-seconds=1.5", "--statement-timeout-seconds=7")
    result = run("upgrade", chain, database, *limits, SHOP_URL=dsn(database))
    assert (result.code, result.stderr) == (0, "")
    settings = dict(query(database, "SELECT name, setting FROM limits"))
    assert (settings["lock_timeout"], settings["statement_timeout"]) == ("1500", "7000")
    assert settings["application_name"].startswith("alembic-migrate ")


def test_another_database_than_the_lock_is_rejected(
    chain: Chain, server: URL, database: URL, driver: str, shape: str
) -> None:
    env_py(chain, driver, shape)
    env = chain.folder / "alembic" / "env.py"
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    with temporary_database(server) as other:
        env.write_text(env.read_text(encoding="utf-8").replace('os.environ["DATABASE_URL"]', repr(dsn(other))))
        result = run("upgrade", chain, database, SHOP_URL=dsn(other))
        assert result.code == 1
        assert (
            f"env.py connects to database {other.database} of another server, or to another database" in result.stderr
        )
        assert tables(other) == set()
    assert tables(database) == set()


def test_another_database_than_postgresql_is_rejected(chain: Chain, database: URL) -> None:
    env = chain.folder / "alembic" / "env.py"
    sqlite = chain.folder / "app.db"
    text = env.read_text(encoding="utf-8")
    env.write_text(text.replace('os.environ["DATABASE_URL"]', repr(f"sqlite:///{sqlite}")))
    chain.add("one", 'op.execute("CREATE TABLE one (n INTEGER)")')
    result = run("upgrade", chain, database)
    assert result.code == 1
    assert "env.py connects to a database of sqlite, not of PostgreSQL." in result.stderr
    assert "Retrying" not in result.stdout
    assert (tables(database), sqlite.exists()) == (set(), False)


def test_nothing_is_committed_without_the_lock(chain: Chain, database: URL, driver: str, shape: str) -> None:
    env_py(chain, driver, shape)
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    chain.add("two", f'op.execute("CREATE TABLE two ()")\nop.execute("{END_LOCK_SESSION}")')
    process = start("upgrade", chain, database, SHOP_URL=dsn(database))
    process.wait_for("session that holds the advisory lock has ended; nothing was committed without it")
    process.wait_for("Retrying")
    assert (tables(database) - {"alembic_version"}, revisions(database)) == ({"one"}, {"one"})
    process.process.kill()


END_LOCK_SESSION = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def test_lock_survives_an_idle_session_timeout(chain: Chain, database: URL) -> None:
    query(database, f"ALTER DATABASE {database.database} SET idle_session_timeout = '1s'")
    chain.add("one", 'import time\nop.execute("CREATE TABLE one ()")\ntime.sleep(3)')
    chain.add("two", 'op.execute("CREATE TABLE two ()")')
    result = run("upgrade", chain, database)
    assert (result.code, result.stderr) == (0, "")
    assert "Retrying" not in result.stdout


@pytest.mark.parametrize("image", ["psycopg2", "pg8000"], indirect=True)
def test_lock_survives_a_proxy_that_closes_idle_sessions(chain: Chain, database: URL, image: Image) -> None:
    write_env_for(chain, image.driver or "")
    port = free_port()
    chain.add("one", 'for _ in range(3):\n    op.execute("SELECT pg_sleep(4)")')
    with forward(port, (database.host or "", database.port or 5432), idle_seconds=8):
        result = run("upgrade", chain, database.set(host="127.0.0.1", port=port), **image.variables)
    assert (result.code, result.stderr) == (0, "")
    assert "Retrying" not in result.stdout


BEFORE_CONFIGURE = SYNC.replace(
    "    context.configure", "    connection.execute(text('SELECT 1'))\n    context.configure"
)


def test_run_stops_at_the_first_revision_that_env_py_rolls_back(chain: Chain, database: URL) -> None:
    write_env(chain, BEFORE_CONFIGURE.format(driver="psycopg", engine=ENGINES["plain"].format(create="create_engine")))
    for name in ("one", "two", "three"):
        chain.add(name, f'op.execute("CREATE TABLE {name} ()")')
    result = run("upgrade", chain, database)
    assert result.code == 1
    assert "1/3" not in result.stdout
    assert "Revision one" in result.stderr and "it was rolled back" in result.stderr
    assert "connection.commit()" in result.stderr
    assert tables(database) == set()
    assert query(database, "SELECT revisions, outcome FROM pulumi_alembic.runs") == [([], "failed")]


def test_env_py_with_its_own_transaction_commits_each_revision(chain: Chain, database: URL) -> None:
    engine = ENGINES["plain"].format(create="create_engine")
    write_env(chain, SYNC.format(driver="psycopg", engine=engine).replace("engine.connect()", "engine.begin()"))
    for name in ("one", "two", "three"):
        chain.add(name, f'op.execute("CREATE TABLE {name} ()")')
    chain.add("four", 'op.execute("SELECT 1/0")')
    result = run("upgrade", chain, database)
    assert result.code == 1
    assert [line.split()[:2] for line in result.stdout.splitlines()[1:]] == [
        ["1/4", "one"],
        ["2/4", "two"],
        ["3/4", "three"],
    ]
    assert revisions(database) == {"three"}


def test_env_py_runs_once_for_all_revisions(chain: Chain, database: URL) -> None:
    env_py(chain, "psycopg", "plain")
    env = chain.folder / "alembic" / "env.py"
    env.write_text(env.read_text(encoding="utf-8") + "print('env.py ran')\n")
    for name in ("one", "two", "three"):
        chain.add(name, f'op.execute("CREATE TABLE {name} ()")')
    result = run("upgrade", chain, database)
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout.count("env.py ran") == 1


def test_revision_imports_from_the_path_that_env_py_adds(chain: Chain, database: URL) -> None:
    env = chain.folder / "alembic" / "env.py"
    env.write_text(f"import sys\nsys.path.append('lib')\n{env.read_text(encoding='utf-8')}", encoding="utf-8")
    (chain.folder / "lib").mkdir()
    (chain.folder / "lib" / "names.py").write_text('TABLE = "one"\n', encoding="utf-8")
    chain.add("one", 'op.execute(f"CREATE TABLE {names.TABLE} ()")', more="import names")
    for mode in ("upgrade", "wait"):
        result = run(mode, chain, database)
        assert result.code == 0, result.output
    assert tables(database) == {"one", "alembic_version"}


def test_env_py_without_migrations_is_rejected(chain: Chain, database: URL) -> None:
    write_env(chain, "print('nothing')\n")
    chain.add("one", "pass")
    result = run("upgrade", chain, database)
    assert result.code == 1
    assert "env.py did not run the migrations: it must call context.run_migrations()" in result.stderr


def test_env_py_with_several_databases_is_rejected(chain: Chain, database: URL) -> None:
    text = SYNC.format(driver="psycopg", engine=ENGINES["plain"].format(create="create_engine"))
    write_env(chain, text + text.split("\n\n", 1)[1].split("\n", 2)[2])
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    result = run("upgrade", chain, database)
    assert result.code == 1
    assert "env.py configures several databases in one run, which is not supported" in result.stderr


@contextmanager
def table_in_use(database: URL) -> Iterator[None]:
    """Hold a lock on the table `busy` in this block."""
    query(database, "CREATE TABLE busy (id int)")
    with session(database, autocommit=False) as holder:
        holder.execute("SELECT FROM busy")
        yield


def test_no_statement_outlives_the_runner(chain: Chain, database: URL, driver: str, shape: str) -> None:
    env_py(chain, driver, shape)
    chain.add("one", 'op.execute("DROP TABLE busy")')
    with table_in_use(database):
        process = start("upgrade", chain, database, "--lock-timeout-seconds=20", SHOP_URL=dsn(database))
        sql = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        until(lambda: query(database, sql), "the revision waits for the table")
        os.kill(process.process.pid, signal.SIGTERM)
        assert process.finish().code == 128 + signal.SIGTERM
        assert query(database, sql) == []
    assert "busy" in tables(database)
