"""Registration of built-in plugins, in any order of starts."""

import threading
from concurrent.futures import ThreadPoolExecutor

from fastapi.testclient import TestClient
from sqlalchemy import URL, create_engine
from sqlalchemy.pool import NullPool

from app.application import create_app
from app.builtin import BUILTIN_PLUGINS
from app.registration import Registration, register_plugins
from tests.support import HEAD, JSON, migrate, query

REPLICAS = 8
TIMEOUT_SECONDS = 20


def test_two_applications_start_concurrently(database: URL) -> None:
    barrier = threading.Barrier(2)

    def start() -> int:
        barrier.wait()
        with TestClient(create_app(database)) as client:
            return len(client.get("/api/plugins").json())

    with ThreadPoolExecutor(2) as pool:
        starts = [pool.submit(start) for _ in range(2)]
        assert [start.result() for start in starts] == [3, 3]


def test_concurrent_registrations_succeed(database: URL) -> None:
    engine = create_engine(database, poolclass=NullPool)
    barrier = threading.Barrier(REPLICAS)

    def register(index: int) -> None:
        order = BUILTIN_PLUGINS if index % 2 else BUILTIN_PLUGINS[::-1]
        barrier.wait()
        for _ in range(5):
            with engine.begin() as connection:
                register_plugins(connection, order)

    with ThreadPoolExecutor(REPLICAS) as pool:
        list(pool.map(register, range(REPLICAS)))
    assert query(database, "SELECT count(*) FROM plugins") == [(3,)]


def test_restart_preserves_enabled_plugins(database: URL) -> None:
    with TestClient(create_app(database), headers=JSON) as client:
        client.post("/api/plugins/uptime/enable")
    query(database, "UPDATE plugins SET name = 'old name'")
    with TestClient(create_app(database)) as client:
        plugins = {plugin["id"]: plugin for plugin in client.get("/api/plugins").json()}
    assert plugins["uptime"]["enabled"] is True
    assert plugins["uptime"]["name"] == "Uptime"


def test_plugins_are_registered_after_the_migration(empty_database: URL) -> None:
    engine = create_engine(empty_database, poolclass=NullPool)
    registration = Registration(engine, BUILTIN_PLUGINS, retry_seconds=0.05)
    registration.start()
    assert registration.first_attempt.wait(TIMEOUT_SECONDS)
    assert not registration.registered.is_set()
    migrate(empty_database, HEAD)
    assert registration.registered.wait(TIMEOUT_SECONDS)
    registration.join(TIMEOUT_SECONDS)
    assert query(empty_database, "SELECT count(*) FROM plugins WHERE NOT enabled") == [(3,)]


def test_missing_plugins_are_registered_again(database: URL) -> None:
    with TestClient(create_app(database)) as client:
        assert len(client.get("/api/plugins").json()) == 3
        query(database, "DELETE FROM plugins")
        assert [plugin["id"] for plugin in client.get("/api/plugins").json()] == sorted(
            plugin.id for plugin in BUILTIN_PLUGINS
        )
    assert query(database, "SELECT count(*) FROM plugins WHERE NOT enabled") == [(3,)]


def test_stopped_registration_ends(empty_database: URL) -> None:
    registration = Registration(create_engine(empty_database, poolclass=NullPool), BUILTIN_PLUGINS)
    registration.start()
    assert registration.first_attempt.wait(TIMEOUT_SECONDS)
    registration.stop()
    registration.join(TIMEOUT_SECONDS)
    assert not registration.is_alive()
