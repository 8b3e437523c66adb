"""Health endpoints, with databases in every state."""

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
# Far above the application's own timeouts.
LIMIT_SECONDS = 20.0


def unhealthy_database(client: TestClient) -> dict[str, Any]:
    """Expect 503 from /health, and return the database's component."""
    response = client.get("/health")
    assert response.status_code == 503
    body = response.json()
    assert body["status"] == "unhealthy"
    component: dict[str, Any] = body["components"]["database"]
    assert component["status"] == "unhealthy"
    return component


def test_health_at_head(client: TestClient) -> None:
    response = client.get("/health")
    assert response.status_code == 200
    component = {"status": "healthy", "revision": HEAD, "head": HEAD}
    assert response.json() == {"status": "healthy", "components": {"database": component}}
    assert '"status": "healthy"' in response.text


def test_health_behind_head(client: TestClient, database: URL) -> None:
    migrate(database, PREVIOUS, down=True)
    component = unhealthy_database(client)
    assert (component["revision"], component["head"]) == (PREVIOUS, HEAD)
    assert PREVIOUS in component["error"]
    migrate(database, HEAD)
    assert client.get("/health").status_code == 200


def ready(client: TestClient) -> bool:
    """Return the result of /health/ready, and check that the status code matches it."""
    response = client.get("/health/ready")
    is_ready: bool = response.json()["ready"]
    assert response.status_code == (200 if is_ready else 503)
    return is_ready


@pytest.mark.parametrize("revision", [HEAD, PREVIOUS, "a_later_release"])
def test_ready_at_any_revision(client: TestClient, database: URL, revision: str) -> None:
    query(database, f"UPDATE alembic_version SET version_num = '{revision}'")
    assert ready(client)


def test_not_ready_without_a_schema(empty_database: URL) -> None:
    with TestClient(create_app(empty_database)) as client:
        assert not ready(client)


def test_health_of_an_uninitialized_database(empty_database: URL) -> None:
    with TestClient(create_app(empty_database)) as client:
        component = unhealthy_database(client)
    assert component["revision"] is None
    assert "database is uninitialized" in component["error"]


def test_health_after_a_downgrade_to_base(client: TestClient, database: URL) -> None:
    migrate(database, BASE, down=True)
    assert "database is uninitialized" in unhealthy_database(client)["error"]


def test_health_with_several_revisions(client: TestClient, database: URL) -> None:
    query(database, f"INSERT INTO alembic_version VALUES ('{PREVIOUS}')")
    component = unhealthy_database(client)
    assert component["revision"] is None
    assert f"exactly one row, found: {PREVIOUS}, {HEAD}" in component["error"]


def test_health_at_a_tolerated_later_revision(database: URL) -> None:
    query(database, "UPDATE alembic_version SET version_num = 'later'")
    with TestClient(create_app(database, tolerated_revisions=frozenset({"later"}))) as client:
        response = client.get("/health")
        assert response.status_code == 200
        assert response.json()["components"]["database"]["revision"] == "later"
    with TestClient(create_app(database)) as client:
        assert "later" in unhealthy_database(client)["error"]


@pytest.mark.parametrize("heads", [(), ("a", "b")])
def test_chain_without_exactly_one_head_is_an_error(heads: tuple[str, ...]) -> None:
    state = compare_revisions(("a",), heads)
    assert state.head is None
    assert state.error is not None
    assert "exactly one Alembic head" in state.error


def test_live_without_a_database(server: URL) -> None:
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
    """Listen on a port, and never respond."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield listener


def test_health_times_out_if_the_database_does_not_respond(
    server: URL, silent_server: socket.socket
) -> None:
    url = server.set(host="127.0.0.1", port=silent_server.getsockname()[1])
    with TestClient(create_app(url, definitions=[])) as client:
        started = time.monotonic()
        component = unhealthy_database(client)
        elapsed = time.monotonic() - started
        assert client.get("/health/live").status_code == 200
    assert elapsed < LIMIT_SECONDS
    assert component["error"] == "timed out after 1.5s"


def test_concurrent_checks_share_a_connection(server: URL, silent_server: socket.socket) -> None:
    url = server.set(host="127.0.0.1", port=silent_server.getsockname()[1])
    probe = DatabaseProbe(create_probe_engine(url), heads=(HEAD,))

    async def check() -> list[DatabaseHealth]:
        return await asyncio.gather(*(probe.check(0.5) for _ in range(10)))

    assert {health.error for health in asyncio.run(check())} == {"timed out after 0.5s"}
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


def test_health_times_out_if_alembic_version_is_locked(client: TestClient, database: URL) -> None:
    engine = create_engine(database, poolclass=NullPool)
    with engine.begin() as locker:
        locker.execute(text("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"))
        started = time.monotonic()
        error = unhealthy_database(client)["error"]
        assert time.monotonic() - started < LIMIT_SECONDS
    assert "statement timeout" in error
    assert client.get("/health").status_code == 200
