"""alembic/env.py on the command line."""

import os
import subprocess
import sys

import pytest
from sqlalchemy import URL

from tests.support import BACKEND, HEAD, chain, migrate, tables


def alembic(*arguments: str, database_url: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the alembic command with DATABASE_URL set or unset."""
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    if database_url is not None:
        environment["DATABASE_URL"] = database_url
    return subprocess.run(  # noqa: S603 -- the interpreter and fixed arguments
        [sys.executable, "-m", "alembic", *arguments],
        cwd=BACKEND,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def plain_url(url: URL, scheme: str = "postgresql") -> str:
    """Return the URL with another scheme and its password."""
    return url.set(drivername=scheme).render_as_string(hide_password=False)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_alembic_current_prints_the_head(database: URL, scheme: str) -> None:
    result = alembic("current", database_url=plain_url(database, scheme))
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{HEAD} (head)\n"


def test_alembic_upgrade_check_and_downgrade_succeed(empty_database: URL) -> None:
    url = plain_url(empty_database)
    assert alembic("upgrade", "head", database_url=url).returncode == 0
    assert len(tables(empty_database)) == 17
    check = alembic("check", database_url=url)
    assert check.returncode == 0, check.stdout + check.stderr
    assert alembic("downgrade", "base", database_url=url).returncode == 0
    assert tables(empty_database) == set()


def test_missing_database_url_is_reported() -> None:
    result = alembic("current")
    assert result.returncode != 0
    assert "DATABASE_URL is not set" in result.stderr + result.stdout
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "value", ["mysql://u:hush-hush@h/d", "postgresql://u:hush-hush@h:notaport/d", "hush-hush"]
)
def test_invalid_database_url_is_never_printed(value: str) -> None:
    result = alembic("current", database_url=value)
    assert result.returncode != 0
    assert "DATABASE_URL" in result.stderr + result.stdout
    assert "hush-hush" not in result.stderr + result.stdout


@pytest.mark.parametrize(
    ("direction", "span"), [("upgrade", "base:head"), ("downgrade", "head:base")]
)
def test_chain_renders_offline(direction: str, span: str) -> None:
    result = alembic(direction, span, "--sql")
    assert result.returncode == 0, result.stderr
    statement = "CREATE TABLE" if direction == "upgrade" else "DROP TABLE"
    statements = [line for line in result.stdout.splitlines() if line.startswith(statement)]
    assert len([line for line in statements if "alembic_version" not in line]) == 17
    assert result.stdout.count("COMMIT;") >= len(chain()), "one transaction per revision"


def test_passed_connection_requires_no_database_url(
    empty_database: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    migrate(empty_database, "6a00ea433c25")
    assert tables(empty_database) == {"servers", "services", "metrics"}


def test_server_does_not_start_without_database_url() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    result = subprocess.run(
        [sys.executable, "-c", "import app.main"],
        cwd=BACKEND,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("error: DATABASE_URL is not set")
