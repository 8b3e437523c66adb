"""Fixtures. Each test has its own database on the server of TEST_DATABASE_URL."""

import os
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import URL

from app.application import create_app
from app.config import parse_database_url
from tests.support import HEAD, JSON, migrate, temporary_database

VARIABLE = "TEST_DATABASE_URL"


def pytest_configure() -> None:
    """Fail early without a server."""
    if not os.environ.get(VARIABLE):
        raise pytest.UsageError(
            f"{VARIABLE} is not set; run `make test` in the project's root folder, "
            "or set it to a superuser's URL of a PostgreSQL server"
        )


@pytest.fixture(scope="session")
def server() -> URL:
    """Return the superuser's URL of the server."""
    return parse_database_url(os.environ[VARIABLE])


@pytest.fixture(scope="session")
def template(server: URL) -> Iterator[str]:
    """Return the name of a database at head, for copies."""
    with temporary_database(server) as url:
        migrate(url, HEAD)
        yield str(url.database)


@pytest.fixture
def empty_database(server: URL) -> Iterator[URL]:
    """Create an empty database."""
    with temporary_database(server) as url:
        yield url


@pytest.fixture
def database(server: URL, template: str) -> Iterator[URL]:
    """Create a database at head."""
    with temporary_database(server, template) as url:
        yield url


@pytest.fixture
def client(database: URL) -> Iterator[TestClient]:
    """Return a client of the application on a database at head."""
    with TestClient(create_app(database), headers=JSON) as client:
        yield client
