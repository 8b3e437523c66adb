"""Settings. Errors omit the value of DATABASE_URL."""

import pytest

from app.config import (
    SettingsError,
    database_url_from_environment,
    parse_database_url,
    tolerated_revisions_from_environment,
)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_database_url_is_parsed_with_the_driver(scheme: str) -> None:
    url = parse_database_url(f"{scheme}://user:p%40ss@host:5433/db")
    assert url.drivername == "postgresql+psycopg"
    assert (url.username, url.password, url.host, url.port) == ("user", "p@ss", "host", 5433)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("hush", "is not a URL"),
        ("postgresql://u:hush@host:port/db", "is not a URL"),
        ("sqlite:///hush.db", "unsupported scheme"),
        ("postgresql+asyncpg://u:hush@host/db", "unsupported scheme"),
        ("postgresql://u:hush@host", "no host or no database"),
        ("postgresql://u:hush@/db", "no host or no database"),
    ],
)
def test_invalid_database_url_is_rejected_without_its_value(value: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        parse_database_url(value)
    assert "hush" not in str(caught.value)
    assert "DATABASE_URL" in str(caught.value)


@pytest.mark.parametrize("environment", [{}, {"DATABASE_URL": ""}, {"DATABASE_URL": " "}])
def test_missing_database_url_is_rejected(environment: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL is not set"):
        database_url_from_environment(environment)


def test_tolerated_revisions_are_comma_separated() -> None:
    assert tolerated_revisions_from_environment({"TOLERATED_REVISIONS": "a, b,"}) == {"a", "b"}
    assert tolerated_revisions_from_environment({}) == frozenset()
