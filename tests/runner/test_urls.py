"""Database URLs as people have them, with each driver of the runner's own sessions."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from network import free_port
from pooler import pooler
from runner_arguments import arguments, libpq_arguments
from runner_url import InvalidUrl, parse_url, separate_hosts
from sqlalchemy.engine import URL, make_url
from support import (
    RUNNER,
    Chain,
    Image,
    closed_gate,
    dsn,
    image_with,
    query,
    run,
    runner_sessions,
    start,
    tables,
    waiting,
)
from test_env_py import SYNC, write_env_for

HOSTS = {
    "postgres://u:p@h/d": (("h", None),),
    "postgresql+asyncpg://u:p@h:5433/d": (("h", 5433),),
    "postgresql://u@h1,h2:5433/d": (("h1", None), ("h2", 5433)),
    "postgresql://u@/d?host=h1:5432&host=h2:5433": (("h1", 5432), ("h2", 5433)),
    "postgresql://u@/d?host=h1,h2&port=1,2": (("h1", 1), ("h2", 2)),
    "postgresql://u@/d?host=h1,h2&port=6": (("h1", 6), ("h2", 6)),
    "postgresql://u@/d?host=/var/run/postgresql": (("/var/run/postgresql", None),),
    "postgresql://u@%2Fvar%2Frun%2Fpostgresql/d": (("/var/run/postgresql", None),),
    "postgresql://u@[2001:db8::1]:5433/d": (("2001:db8::1", 5433),),
    "postgresql://u@[::1],[::2]:7/d": (("::1", None), ("::2", 7)),
    "postgresql://u@/d?host=::1": (("::1", None),),
}


@pytest.mark.parametrize("value", HOSTS)
def test_hosts_of_a_url(value: str) -> None:
    assert parse_url("DATABASE_URL", value).hosts == HOSTS[value]


def test_percent_encoded_parts_are_decoded() -> None:
    url = parse_url("DATABASE_URL", "postgresql://a%40b:p%40s%2Fs%25@h/d%20b?options=-csearch_path%3Dapp")
    assert (url.user, url.password, url.database) == ("a@b", "p@s/s%", "d b")
    assert url.parameters == {"options": "-csearch_path=app"}


REJECTED = {
    "schema=s3cret": "parameter schema, which PostgreSQL's drivers don't know. Remove it. To set the schema",
    "connection_limit=5": "parameter connection_limit",
    "s3cret!=1": "a parameter with an invalid name (hidden)",
    "sslmode=s3cret": "an invalid value of sslmode; allowed: disable, allow,",
    "ssl=no-s3cret": "an invalid value of sslmode",
    "target_session_attrs=s3cret": "an invalid value of target_session_attrs; allowed: any,",
    "connect_timeout=s3cret": "an invalid value of connect_timeout",
    "sslmode=verify-full&sslmode=disable": "parameter sslmode more than once",
    "sslmode=verify-full&ssl=false": "parameter sslmode more than once",
}


@pytest.mark.parametrize("query", REJECTED)
def test_parameter_is_rejected_with_its_name(query: str) -> None:
    with pytest.raises(InvalidUrl) as error:
        parse_url("DATABASE_URL", f"postgresql://u:s3cret@h/d?{query}")
    assert str(error.value).startswith("DATABASE_URL has ")
    assert REJECTED[query].removeprefix("a ") in str(error.value)
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(
    "value",
    ["", "s3cret", "mysql://u@h/d", "postgresql://u@h", "postgresql:///d", "postgresql://u:a@s3cret@h/d"]
    + ["postgresql://u@h:x/d", "postgresql://u@h1,,h2/d", "postgresql://u@/d?host=a,b&port=1,2,3"]
    + ["postgresql://u:a@s?s3cret=1@h/d", "postgresql://u@::1/d"],
)
def test_other_text_than_a_url_is_rejected(value: str) -> None:
    with pytest.raises(InvalidUrl, match=r"^DATABASE_URL \(value hidden\) is not a PostgreSQL URL") as error:
        parse_url("DATABASE_URL", value)
    assert "s3cret" not in str(error.value)


def test_several_hosts_become_parameters_that_sqlalchemy_reads() -> None:
    several = separate_hosts("postgresql+psycopg://u:p%40@h1,[::1]:5433/d?target_session_attrs=read-write")
    assert several == "postgresql+psycopg://u:p%40@/d?host=h1,::1&port=5432,5433&target_session_attrs=read-write"
    assert make_url(several).password == "p@"
    for same in ("postgres://u@h/d", "postgresql+asyncpg://u@h/d?ssl=require", "postgresql://u@/d?host=h1:1&host=h2:2"):
        assert separate_hosts(same) == same


def test_parameters_are_translated_for_each_driver() -> None:
    url = parse_url(
        "DATABASE_URL", "postgresql+asyncpg://u@h1,h2:7/d?ssl=disable&application_name=app&statement_cache_size=0"
    )
    libpq = {"dbname": "d", "host": "h1,h2", "port": "5432,7", "user": "u", "sslmode": "disable"}
    assert arguments(url, "psycopg", "-c a=1", "n") == [{**libpq, "options": "-c a=1", "application_name": "n"}]
    assert libpq_arguments(url) == {**libpq, "application_name": "app"}
    first, second = arguments(url, "pg8000", "-c a=1", "n")
    assert (first["host"], first["port"], second["host"], second["port"]) == ("h1", 5432, "h2", 7)
    assert (first["ssl_context"], first["startup_params"]) == (False, {"options": "-c a=1"})
    (asyncpg,) = arguments(url, "asyncpg", "-c a=1", "n")
    assert (asyncpg["host"], asyncpg["port"], asyncpg["ssl"]) == (["h1", "h2"], [5432, 7], False)
    assert asyncpg["server_settings"] == {"application_name": "n", "options": "-c a=1"}


@pytest.mark.parametrize("driver", ["pg8000", "asyncpg"])
def test_parameter_that_the_driver_lacks_is_rejected(driver: str) -> None:
    for name, value in {"channel_binding": "require", "sslcrl": "file", "hostaddr": "::1"}.items():
        with pytest.raises(InvalidUrl, match=f"parameter {name}, which driver {driver} does not support. Remove it"):
            arguments(parse_url("DATABASE_URL", f"postgresql://u@h/d?{name}={value}"), driver, "", "")
    arguments(parse_url("DATABASE_URL", "postgresql://u@h/d?channel_binding=prefer&keepalives=1"), driver, "", "")
    with pytest.raises(InvalidUrl, match="needs sslrootcert for sslmode=verify-full"):
        arguments(parse_url("DATABASE_URL", "postgresql://u@h/d?sslmode=verify-full"), driver, "", "")


@pytest.fixture
def one(chain: Chain, image: Image) -> Chain:
    """Return a chain of one revision, in an image with only one driver."""
    write_env_for(chain, image.driver)
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    return chain


def test_every_mode_works_with_only_one_driver(one: Chain, image: Image, database: URL) -> None:
    result = run("upgrade", one, database, **image.variables)
    assert (result.code, result.stderr) == (0, "")
    for mode in ("wait", "status"):
        assert run(mode, one, database, **image.variables).code == 0, mode
    sql = "SELECT revisions, outcome, from_revisions, to_revisions, error FROM pulumi_alembic.runs"
    assert query(database, sql) == [(["one"], "succeeded", [], ["one"], None)]
    assert run("downgrade", one, database, "--target=base", **image.variables).code == 0


def test_own_sessions_have_the_limits_and_a_safe_path(one: Chain, image: Image, database: URL) -> None:
    sql = "SELECT name || '=' || setting FROM pg_settings WHERE name IN ('lock_timeout', 'search_path')"
    code = (
        "from runner_driver import image_driver\n"
        "from runner_session import configure_sessions, connect, database_url\n"
        "from sqlalchemy import text\n"
        "configure_sessions(1.5, 7, 1e9)\n"
        f"with connect(database_url()) as own: rows = list(own.execute(text({sql + ' ORDER BY 1'!r})))\n"
        "print(image_driver(), *[row[0] for row in rows])"
    )
    variables = {**os.environ, **image.variables, "DATABASE_URL": dsn(database)}
    variables["PYTHONPATH"] += f":{RUNNER.parent}"
    result = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False)
    expected = f"{image.driver} lock_timeout=1500 search_path=pg_catalog,pg_temp"
    assert result.stdout.strip() == expected, result.stderr


def test_application_role_is_created_with_any_driver(one: Chain, image: Image, database: URL) -> None:
    name, password = f"{database.database}_app", "p\u00e4ss w\u00f6rd\u2168:%"
    url = dsn(database.set(username=name, password=password))
    options = [f"--application-role={name}", "--create-application-role"]
    try:
        for _ in range(2):
            result = run("upgrade", one, database, *options, APPLICATION_DATABASE_URL=url, **image.variables)
            assert (result.code, result.stderr) == (0, "")
        verifier = query(database, f"SELECT rolpassword FROM pg_authid WHERE rolname = '{name}'")[0][0]
        assert is_verifier_of(verifier, "päss wördIX:%")  # SASLprep's form
    finally:
        query(database, f"DROP OWNED BY {name}")
        query(database, f"DROP ROLE {name}")


def is_verifier_of(verifier: str, password: str) -> bool:
    """Return whether the server would accept a password with this verifier."""
    iterations, salt = verifier.split("$")[1].split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
    return verifier.endswith(":" + base64.b64encode(hmac.digest(salted, b"Server Key", "sha256")).decode())


@pytest.mark.parametrize("settings", [{}, {"ignore_startup_parameters": "options"}])
def test_pooler_is_detected_with_any_driver(
    one: Chain, image: Image, server: URL, database: URL, settings: dict[str, str]
) -> None:
    with pooler(server, "transaction", **settings) as pool:
        url = database.set(host=pool.host, port=pool.port)
        result = run("upgrade", one, url, **image.variables)
    assert result.code == 1
    assert "points to a connection pooler" in result.stderr
    assert "Retrying" not in result.output
    assert tables(database) == set()


def test_interrupted_run_is_recorded_with_any_driver(one: Chain, image: Image, database: URL) -> None:
    one.add("two", 'op.execute("SELECT pg_advisory_lock(7)")')
    with closed_gate(database):
        process = start("upgrade", one, database, "--lock-timeout-seconds=20", **image.variables)
        waiting(database)
        process.process.send_signal(signal.SIGTERM)
        assert process.finish().code == 128 + signal.SIGTERM
        assert not runner_sessions(database)
    assert query(database, "SELECT revisions, outcome FROM pulumi_alembic.runs") == [(["one"], "interrupted")]


def address(url: URL) -> str:
    """Return the URL's password-free start, up to the database."""
    return f"{url.username}@{url.host}:{url.port}"


def test_first_host_of_several_that_accepts_the_session_is_used(one: Chain, image: Image, database: URL) -> None:
    """Use the driver's own form in env.py, which pg8000 does not have."""
    if image.driver == "pg8000":
        engine = f"engine = create_engine('{dsn(database)}'.replace('postgresql:', 'postgresql+pg8000:'))"
        text = SYNC.format(driver="pg8000", engine=engine)
        (one.folder / "alembic" / "env.py").write_text(text, encoding="utf-8")
    hosts = f"{database.username}@127.0.0.1:{free_port()},{database.host}:{database.port}"
    url = f"postgresql://{hosts}/{database.database}?target_session_attrs=read-write"
    result = run("upgrade", one, url, **image.variables)
    assert (result.code, result.stderr) == (0, "")
    query(database, f"ALTER DATABASE {database.database} SET default_transaction_read_only = on")
    started = start("upgrade", one, url, **image.variables)
    started.wait_for("Retrying")
    started.process.kill()


def test_refused_connection_is_retried_with_any_driver(one: Chain, image: Image, database: URL) -> None:
    started = start("upgrade", one, database.set(host="127.0.0.1", port=free_port()), **image.variables)
    started.wait_for("Retrying")
    started.process.kill()


def test_wrong_password_is_not_retried_with_any_driver(one: Chain, image: Image, database: URL) -> None:
    name = f"{database.database}_none"
    result = run("upgrade", one, database.set(username=name, password="s3cret"), **image.variables)
    assert result.code == 1
    assert f'role "{name}" does not exist' in result.stderr
    assert "Retrying" not in result.output and "s3cret" not in result.output


def test_image_without_a_driver_is_rejected(chain: Chain, database: URL, tmp_path: Path) -> None:
    chain.add("one", "pass")
    result = run("upgrade", chain, database, **image_with(None, tmp_path).variables)
    assert result.code == 1
    assert "the image has no driver for PostgreSQL. Install one of psycopg, psycopg2, pg8000, asyncpg" in result.stderr


def test_env_py_sees_the_url_as_it_is(chain: Chain, database: URL) -> None:
    write_env_for(chain, "psycopg")
    env = chain.folder / "alembic" / "env.py"
    text = "import os\nprint('seen ' + os.environ['DATABASE_URL'].rpartition('/')[0])\n"
    env.write_text(text + env.read_text(encoding="utf-8"), encoding="utf-8")
    chain.add("one", "pass")
    place = address(database)
    for url in (f"postgres://{place}", f"postgresql+asyncpg://{place}"):
        result = run("upgrade", chain, f"{url}/{database.database}")
        assert (result.code, result.stderr) == (0, "")
        assert f"seen {url}\n" in result.stdout
    direct = f"postgresql://{place}/{database.database}"
    application = f"postgresql+asyncpg://u@pooler/{database.database}"
    result = run("upgrade", chain, application, MIGRATION_DATABASE_URL=direct)
    assert f"seen postgresql+asyncpg://{place}\n" in result.stdout, result.stderr


@pytest.mark.parametrize("query", ["ssl=prefer", "prepared_statement_cache_size=0"])
def test_parameters_of_asyncpg_are_accepted(chain: Chain, database: URL, tmp_path: Path, query: str) -> None:
    write_env_for(chain, "asyncpg")
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    for folder, image in (("both", {}), ("alone", image_with("asyncpg", tmp_path).variables)):
        url = f"postgresql+asyncpg://{address(database)}/{database.database}?{query}"
        result = run("upgrade", chain, url, **image)
        assert (result.code, result.stderr) == (0, ""), folder


def test_unix_socket_works_with_any_driver(one: Chain, image: Image, database: URL) -> None:
    folder = query(database, "SHOW unix_socket_directories")[0][0].split(",")[0]
    if image.driver == "pg8000":
        engine = f"engine = create_engine('{dsn(database)}'.replace('postgresql:', 'postgresql+pg8000:'))"
        (one.folder / "alembic" / "env.py").write_text(SYNC.format(driver="pg8000", engine=engine), encoding="utf-8")
    url = f"postgresql://{database.username}@/{database.database}?host={folder}&port={database.port}"
    result = run("upgrade", one, url, **image.variables)
    assert (result.code, result.stderr) == (0, "")


def with_service(folder: Path) -> dict[str, str]:
    """Return the variables with which libpq connects to another server, by a service of a file."""
    file = folder / "pg_service.conf"
    file.write_text("[other]\nhostaddr=127.0.0.2\n", encoding="utf-8")
    return {"PGSERVICE": "other", "PGSERVICEFILE": str(file)}


def without_port(url: URL) -> str:
    """Return a URL whose port libpq takes from PGPORT."""
    return dsn(url).replace(f":{url.port}/", "/")


@pytest.mark.parametrize("mode", ["upgrade", "wait", "status"])
def test_variable_that_leads_libpq_to_another_server_is_rejected(
    chain: Chain, database: URL, tmp_path: Path, mode: str
) -> None:
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    for name, variables in {"PGHOSTADDR": {"PGHOSTADDR": "127.0.0.2"}, "PGSERVICE": with_service(tmp_path)}.items():
        result = run(mode, chain, database, **variables)
        assert result.code == 1
        assert f"{name} is set, which leads libpq to another server than DATABASE_URL" in result.stderr
    result = run(mode, chain, without_port(database), PGPORT=str(database.port))
    assert result.code == 1
    assert "DATABASE_URL has no port, so that PGPORT decides on the server. Add the port to the URL" in result.stderr
    assert tables(database) == set()


def test_application_url_without_a_port_is_rejected_if_pgport_is_set(chain: Chain, database: URL) -> None:
    chain.add("one", "pass")
    url = without_port(database.set(username="app", password="s3cret"))
    result = run(
        "upgrade", chain, database, "--application-role=app", APPLICATION_DATABASE_URL=url, PGPORT=str(database.port)
    )
    assert (result.code, "APPLICATION_DATABASE_URL has no port" in result.stderr) == (1, True)


def test_empty_variables_of_libpq_are_unset(one: Chain, image: Image, database: URL) -> None:
    names = "PGHOSTADDR PGSERVICE PGSSLMODE PGSSLROOTCERT PGCONNECT_TIMEOUT PGTARGETSESSIONATTRS PGOPTIONS PGPORT"
    result = run("upgrade", one, database, **image.variables, **dict.fromkeys(names.split(), ""))
    assert (result.code, result.stderr) == (0, "")
