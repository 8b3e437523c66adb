"""/health tells the truth about the database, and soon, whatever the database does."""

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

from app.application import create_app
from app.database import create_probe_engine
from app.health import DatabaseHealth, DatabaseProbe
from app.revisions import compare_revisions
from tests.support import BASE, HEAD, migrate, query

PREVIOUS = "a1b2c3d4e5f6"
# Far above what the application allows itself, and far below never.
LIMIT_SECONDS = 20.0


def unhealthy_database(client: TestClient) -> dict[str, Any]:
    """Ask /health, expect 503, and return the database's component."""
    response = client.get("/health")
    assert response.status_code == 503
    body = response.json()
    assert body["status"] == "unhealthy"
    component: dict[str, Any] = body["components"]["database"]
    assert component["status"] == "unhealthy"
    return component


def test_healthy_at_head(client: TestClient) -> None:
    response = client.get("/health")
    assert response.status_code == 200
    component = {"status": "healthy", "revision": HEAD, "head": HEAD}
    assert response.json() == {"status": "healthy", "components": {"database": component}}
    assert '"status": "healthy"' in response.text


def test_behind(client: TestClient, database: URL) -> None:
    migrate(database, PREVIOUS, down=True)
    component = unhealthy_database(client)
    assert (component["revision"], component["head"]) == (PREVIOUS, HEAD)
    assert PREVIOUS in component["error"]
    migrate(database, HEAD)
    assert client.get("/health").status_code == 200


def ready(client: TestClient) -> bool:
    """Ask /health/ready, and see that the status code says the same as the body."""
    response = client.get("/health/ready")
    answer: bool = response.json()["ready"]
    assert response.status_code == (200 if answer else 503)
    return answer


@pytest.mark.parametrize("revision", [HEAD, PREVIOUS, "a_later_release"])
def test_ready_at_whatever_revision(client: TestClient, database: URL, revision: str) -> None:
    query(database, f"UPDATE alembic_version SET version_num = '{revision}'")
    assert ready(client)


def test_not_ready_without_a_schema(empty_database: URL) -> None:
    with TestClient(create_app(empty_database)) as client:
        assert not ready(client)


def test_never_applied(empty_database: URL) -> None:
    with TestClient(create_app(empty_database)) as client:
        component = unhealthy_database(client)
    assert component["revision"] is None
    assert "no migration has been applied" in component["error"]


def test_downgraded_to_base(client: TestClient, database: URL) -> None:
    migrate(database, BASE, down=True)
    assert "no migration has been applied" in unhealthy_database(client)["error"]


def test_several_revisions(client: TestClient, database: URL) -> None:
    query(database, f"INSERT INTO alembic_version VALUES ('{PREVIOUS}')")
    component = unhealthy_database(client)
    assert component["revision"] is None
    assert f"one row, found {PREVIOUS}, {HEAD}" in component["error"]


def test_a_later_revision_is_healthy_where_it_is_tolerated(database: URL) -> None:
    query(database, "UPDATE alembic_version SET version_num = 'later'")
    with TestClient(create_app(database, tolerated_revisions=frozenset({"later"}))) as client:
        response = client.get("/health")
        assert response.status_code == 200
        assert response.json()["components"]["database"]["revision"] == "later"
    with TestClient(create_app(database)) as client:
        assert "later" in unhealthy_database(client)["error"]


@pytest.mark.parametrize("heads", [(), ("a", "b")])
def test_a_chain_without_one_head_is_an_error(heads: tuple[str, ...]) -> None:
    state = compare_revisions(("a",), heads)
    assert state.head is None
    assert state.error is not None
    assert "exactly one Alembic head" in state.error


def test_down_then_live_still_answers(server: URL) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = server.set(host="127.0.0.1", port=closed.getsockname()[1], password="hush-hush")
        with TestClient(create_app(url)) as client:
            component = unhealthy_database(client)
            assert client.get("/health/live").json() == {"status": "alive"}
            assert not ready(client)
    assert component["head"] == HEAD
    assert "refused" in component["error"]
    assert "hush-hush" not in component["error"]


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield listener


def test_a_silent_database_is_told_in_time(server: URL, silent_server: socket.socket) -> None:
    url = server.set(host="127.0.0.1", port=silent_server.getsockname()[1])
    with TestClient(create_app(url, definitions=[])) as client:
        started = time.monotonic()
        component = unhealthy_database(client)
        elapsed = time.monotonic() - started
        assert client.get("/health/live").status_code == 200
    assert elapsed < LIMIT_SECONDS
    assert component["error"] == "the database did not answer within 1.5 s"


def test_checks_at_one_time_share_a_connection(server: URL, silent_server: socket.socket) -> None:
    url = server.set(host="127.0.0.1", port=silent_server.getsockname()[1])
    probe = DatabaseProbe(create_probe_engine(url), heads=(HEAD,))

    async def ask() -> list[DatabaseHealth]:
        return await asyncio.gather(*(probe.check(0.5) for _ in range(10)))

    assert {health.error for health in asyncio.run(ask())} == {
        "the database did not answer within 0.5 s"
    }
    assert _waiting_connections(silent_server) == 1


def _waiting_connections(listener: socket.socket) -> int:
    listener.settimeout(0)
    count = 0
    while True:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_a_locked_version_table_is_told_in_time(client: TestClient, database: URL) -> None:
    engine = create_engine(database, poolclass=NullPool)
    with engine.begin() as locker:
        locker.execute(text("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"))
        started = time.monotonic()
        error = unhealthy_database(client)["error"]
        assert time.monotonic() - started < LIMIT_SECONDS
    assert "statement timeout" in error
    assert client.get("/health").status_code == 200
