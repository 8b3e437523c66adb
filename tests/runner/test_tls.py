"""Encryption: the stack's PGSSLMODE applies to every URL."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import URL
from support import Chain, Image, Result, query, run, session, tables, until
from test_env_py import write_env_for

TABLE = 'op.execute("CREATE TABLE one ()")'


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Create a self-signed certificate of a host name, and its key."""
    certificate_file, key = folder / f"{name}.crt", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "1", "-subj", f"/CN={name}"]
    command += ["-addext", f"subjectAltName=DNS:{name}", "-out", str(certificate_file), "-keyout", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate_file, key


def reload(server: URL, *settings: str) -> None:
    """Change settings of the server, and wait until new sessions have them."""
    with session(server) as connection:
        for setting in settings:
            connection.execute(f"ALTER SYSTEM {setting}".encode())
    loaded = query(server, "SELECT pg_conf_load_time()")
    query(server, "SELECT pg_reload_conf()")
    until(lambda: query(server, "SELECT pg_conf_load_time()") != loaded, "the server has read its settings")


def test_server_without_tls_is_rejected_without_a_retry(chain: Chain, database: URL) -> None:
    """Run before the fixture `authority` enables TLS."""
    chain.add("one", TABLE)
    result = run("upgrade", chain, database, PGSSLMODE="require")
    check_rejection(result, database, "does not support SSL")
    assert "Retrying" not in result.stdout


def test_server_without_tls_is_rejected_with_any_driver(chain: Chain, image: Image, database: URL) -> None:
    """Run before the fixture `authority` enables TLS."""
    chain.add("one", TABLE)
    url = with_parameter(database, ssl="require")
    result = run("upgrade", chain, url, **image.variables)
    check_rejection(result, database, "SSL")
    assert "Retrying" not in result.stdout


@pytest.fixture(scope="module")
def authority(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Enable TLS with a certificate of localhost, and return the certificate."""
    data = Path(query(server, "SHOW data_directory")[0][0])
    if not os.access(data, os.W_OK):
        pytest.skip(f"{data} of the server can't be written from here")
    certificate_file, key = certificate(tmp_path_factory.mktemp("authority"), "localhost")
    owner = data.stat()
    for file, name in ((certificate_file, "unity-test.crt"), (key, "unity-test.key")):
        shutil.copyfile(file, data / name)
        os.chown(data / name, owner.st_uid, owner.st_gid)
        os.chmod(data / name, 0o600)
    reload(server, "SET ssl_cert_file = 'unity-test.crt'", "SET ssl_key_file = 'unity-test.key'", "SET ssl = on")
    yield certificate_file
    reload(server, "RESET ssl", "RESET ssl_cert_file", "RESET ssl_key_file")


def with_parameter(url: URL, **parameters: str) -> URL:
    return url.update_query_dict(parameters)


def check_rejection(result: Result, database: URL, *texts: str) -> None:
    assert result.code == 1
    for text in texts:
        assert text in result.stderr, result.stderr
    assert tables(database) == set(), "no changes were made"


@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_server_with_a_valid_certificate_is_accepted(chain: Chain, database: URL, authority: Path, mode: str) -> None:
    chain.add("one", TABLE)
    variables = {"PGSSLMODE": mode} | ({"PGSSLROOTCERT": str(authority)} if mode == "verify-full" else {})
    result = run("upgrade", chain, database.set(host="localhost"), **variables)
    assert (result.code, result.stderr) == (0, "")
    assert run("wait", chain, database.set(host="localhost"), **variables).code == 0


def test_certificate_of_another_host_is_rejected(chain: Chain, database: URL, authority: Path) -> None:
    chain.add("one", TABLE)
    url = database.set(host="127.0.0.1")
    result = run("upgrade", chain, url, PGSSLMODE="verify-full", PGSSLROOTCERT=str(authority))
    check_rejection(result, database, "certificate")
    assert "Retrying" not in result.stdout


def test_certificate_of_another_authority_is_rejected(
    chain: Chain, database: URL, authority: Path, tmp_path: Path
) -> None:
    chain.add("one", TABLE)
    other, _ = certificate(tmp_path, "localhost")
    assert authority != other
    url = database.set(host="localhost")
    result = run("upgrade", chain, url, PGSSLMODE="verify-full", PGSSLROOTCERT=str(other))
    check_rejection(result, database, "certificate verify failed")


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_own_sessions_are_encrypted_with_any_driver(
    chain: Chain, image: Image, database: URL, authority: Path, tmp_path: Path, mode: str
) -> None:
    assert image.driver
    write_env_for(chain, image.driver)
    chain.add("one", TABLE)
    variables = {**image.variables, "PGSSLMODE": mode}
    if mode != "require":
        variables["PGSSLROOTCERT"] = str(authority)
    if mode == "verify-full":
        result = run("upgrade", chain, database.set(host="127.0.0.1"), **variables)
        check_rejection(result, database, "certificate")
        assert "Retrying" not in result.stdout
    if mode != "require":
        other, _ = certificate(tmp_path, "localhost")
        result = run("upgrade", chain, database.set(host="localhost"), **{**variables, "PGSSLROOTCERT": str(other)})
        check_rejection(result, database, "certificate verify failed")
        assert "Retrying" not in result.stdout
    result = run("upgrade", chain, database.set(host="localhost"), **variables)
    assert (result.code, result.stderr) == (0, "")


@pytest.mark.parametrize("value", ["prefer", "disable", "false"])
def test_url_with_a_weaker_ssl_is_rejected(chain: Chain, database: URL, value: str) -> None:
    chain.add("one", TABLE)
    result = run("upgrade", chain, with_parameter(database, ssl=value), PGSSLMODE="require")
    check_rejection(result, database, f"DATABASE_URL has ssl={value}, weaker than the stack's require. Remove ssl")


@pytest.mark.parametrize("weaker", ["disable", "prefer", "require", "verify-ca"])
def test_url_with_a_weaker_sslmode_is_rejected(chain: Chain, database: URL, authority: Path, weaker: str) -> None:
    chain.add("one", TABLE)
    url = with_parameter(database.set(host="localhost"), sslmode=weaker)
    variables = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(authority)}
    texts = (f"sslmode={weaker}, weaker than the stack's verify-full", "Remove sslmode from the URL")
    check_rejection(run("upgrade", chain, url, **variables), database, "DATABASE_URL has", *texts)
    plain = database.set(host="localhost")
    direct = {"MIGRATION_DATABASE_URL": url.render_as_string(hide_password=False)}
    check_rejection(run("upgrade", chain, plain, **variables, **direct), database, "MIGRATION_DATABASE_URL has", *texts)
    role = {"APPLICATION_DATABASE_URL": direct["MIGRATION_DATABASE_URL"]}
    result = run("upgrade", chain, plain, "--application-role=app", **variables, **role)
    check_rejection(result, database, "APPLICATION_DATABASE_URL has", *texts)


def test_url_with_a_stronger_sslmode_is_accepted(chain: Chain, database: URL, authority: Path) -> None:
    chain.add("one", TABLE)
    url = with_parameter(database.set(host="localhost"), sslmode="verify-full", sslrootcert=str(authority))
    assert run("upgrade", chain, url, PGSSLMODE="require").code == 0


def test_unencrypted_session_is_rejected(chain: Chain, database: URL) -> None:
    """Use a Unix socket, to which libpq does not apply `sslmode`."""
    chain.add("one", TABLE)
    socket = query(database, "SHOW unix_socket_directories")[0][0]
    url = with_parameter(database.set(host=None), host=socket)
    check_rejection(
        run("upgrade", chain, url, PGSSLMODE="require"),
        database,
        "is not encrypted, but the stack requires sslmode=require",
    )
