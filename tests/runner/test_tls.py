"""Encryption: what the stack asks for by PGSSLMODE holds, whatever a URL says."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import URL
from support import Chain, Result, query, run, session, tables, until

TABLE = 'op.execute("CREATE TABLE one ()")'


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate of a host's name that signs itself, and its key."""
    made, key = folder / f"{name}.crt", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "1", "-subj", f"/CN={name}"]
    command += ["-addext", f"subjectAltName=DNS:{name}", "-out", str(made), "-keyout", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    return made, key


def reload(server: URL, *settings: str) -> None:
    """Changes settings of the server, and waits until new sessions have them."""
    with session(server) as connection:
        for setting in settings:
            connection.execute(f"ALTER SYSTEM {setting}".encode())
    loaded = query(server, "SELECT pg_conf_load_time()")
    query(server, "SELECT pg_reload_conf()")
    until(lambda: query(server, "SELECT pg_conf_load_time()") != loaded, "the server has read its settings")


def test_a_server_without_tls_is_refused_at_once(chain: Chain, database: URL) -> None:
    """First of all: no test has asked for `authority` yet."""
    chain.add("one", TABLE)
    result = run("upgrade", chain, database, PGSSLMODE="require")
    check_refusal(result, database, "does not support SSL")
    assert "Trying again" not in result.stdout


@pytest.fixture(scope="module")
def authority(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The certificate of the server, which offers TLS meanwhile; its name is localhost."""
    data = Path(query(server, "SHOW data_directory")[0][0])
    if not os.access(data, os.W_OK):
        pytest.skip(f"{data} of the server can't be written from here")
    made, key = certificate(tmp_path_factory.mktemp("authority"), "localhost")
    owner = data.stat()
    for file, name in ((made, "unity-test.crt"), (key, "unity-test.key")):
        shutil.copyfile(file, data / name)
        os.chown(data / name, owner.st_uid, owner.st_gid)
        os.chmod(data / name, 0o600)
    reload(server, "SET ssl_cert_file = 'unity-test.crt'", "SET ssl_key_file = 'unity-test.key'", "SET ssl = on")
    yield made
    reload(server, "RESET ssl", "RESET ssl_cert_file", "RESET ssl_key_file")


def with_parameter(url: URL, **parameters: str) -> URL:
    return url.update_query_dict(parameters)


def check_refusal(result: Result, database: URL, *words: str) -> None:
    assert result.code == 1
    for word in words:
        assert word in result.stderr, result.stderr
    assert tables(database) == set(), "nothing was migrated"


@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_a_server_with_the_right_certificate_is_migrated(
    chain: Chain, database: URL, authority: Path, mode: str
) -> None:
    chain.add("one", TABLE)
    variables = {"PGSSLMODE": mode} | ({"PGSSLROOTCERT": str(authority)} if mode == "verify-full" else {})
    result = run("upgrade", chain, database.set(host="localhost"), **variables)
    assert (result.code, result.stderr) == (0, "")
    assert run("wait", chain, database.set(host="localhost"), **variables).code == 0


def test_another_name_than_the_certificates_is_refused(chain: Chain, database: URL, authority: Path) -> None:
    chain.add("one", TABLE)
    url = database.set(host="127.0.0.1")
    result = run("upgrade", chain, url, PGSSLMODE="verify-full", PGSSLROOTCERT=str(authority))
    check_refusal(result, database, "certificate")
    assert "Trying again" not in result.stdout


def test_another_authority_is_refused(chain: Chain, database: URL, authority: Path, tmp_path: Path) -> None:
    chain.add("one", TABLE)
    other, _ = certificate(tmp_path, "localhost")
    assert authority != other
    url = database.set(host="localhost")
    result = run("upgrade", chain, url, PGSSLMODE="verify-full", PGSSLROOTCERT=str(other))
    check_refusal(result, database, "certificate verify failed")


@pytest.mark.parametrize("weaker", ["disable", "prefer", "require", "verify-ca"])
def test_a_url_that_asks_for_less_is_refused(chain: Chain, database: URL, authority: Path, weaker: str) -> None:
    chain.add("one", TABLE)
    url = with_parameter(database.set(host="localhost"), sslmode=weaker)
    variables = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(authority)}
    words = (f"sslmode={weaker}", "weaker than the stack's verify-full", "take sslmode out of it")
    check_refusal(run("upgrade", chain, url, **variables), database, "DATABASE_URL has", *words)
    plain = database.set(host="localhost")
    direct = {"MIGRATION_DATABASE_URL": url.render_as_string(hide_password=False)}
    check_refusal(run("upgrade", chain, plain, **variables, **direct), database, "MIGRATION_DATABASE_URL has", *words)
    role = {"APPLICATION_DATABASE_URL": direct["MIGRATION_DATABASE_URL"]}
    result = run("upgrade", chain, plain, "--application-role=app", **variables, **role)
    check_refusal(result, database, "APPLICATION_DATABASE_URL has", *words)


def test_a_url_may_ask_for_more(chain: Chain, database: URL, authority: Path) -> None:
    chain.add("one", TABLE)
    url = with_parameter(database.set(host="localhost"), sslmode="verify-full", sslrootcert=str(authority))
    assert run("upgrade", chain, url, PGSSLMODE="require").code == 0


def test_a_session_that_is_not_encrypted_is_refused(chain: Chain, database: URL) -> None:
    """As on a server without TLS, reached past libpq's own demand: by an address that is no network's."""
    chain.add("one", TABLE)
    socket = query(database, "SHOW unix_socket_directories")[0][0]
    url = with_parameter(database.set(host=None), host=socket)
    check_refusal(run("upgrade", chain, url, PGSSLMODE="require"), database, "is not encrypted", "asks for require")
