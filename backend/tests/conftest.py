"""Fixtures: every test has a database of its own on the server of TEST_DATABASE_URL."""

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
    """Stop at once without a server: the tests need a real PostgreSQL."""
    if not os.environ.get(VARIABLE):
        raise pytest.UsageError(
            f"{VARIABLE} is not set; run `make test` in the project's root folder, "
            "or set it to a superuser's URL of a PostgreSQL server"
        )


@pytest.fixture(scope="session")
def server() -> URL:
    """The server's URL, as a superuser."""
    return parse_database_url(os.environ[VARIABLE])


@pytest.fixture(scope="session")
def template(server: URL) -> Iterator[str]:
    """The name of a database at head, to be copied."""
    with temporary_database(server) as url:
        migrate(url, HEAD)
        yield str(url.database)


@pytest.fixture
def empty_database(server: URL) -> Iterator[URL]:
    """A database without any migration."""
    with temporary_database(server) as url:
        yield url


@pytest.fixture
def database(server: URL, template: str) -> Iterator[URL]:
    """A database at head."""
    with temporary_database(server, template) as url:
        yield url


@pytest.fixture
def client(database: URL) -> Iterator[TestClient]:
    """The application, started on a database at head; it is asked as scripts ask it."""
    with TestClient(create_app(database), headers=JSON) as client:
        yield client
