"""The plugin API."""

import logging
import socket
from collections.abc import Mapping

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import URL

from app.application import create_app
from app.builtin import BUILTIN_PLUGINS, PluginDefinition, parse_meminfo
from app.database import describe_error
from tests.support import JSON, query

BUILTIN_IDS = ["disk-usage", "system-info", "uptime"]


def collect_nothing() -> Mapping[str, int]:
    """Fail like a broken plugin."""
    raise RuntimeError("no sensor")


BROKEN = PluginDefinition("broken", "Broken", "Always fails.", "0.1.0", collect_nothing)


def test_builtin_plugins_are_listed_as_disabled(client: TestClient) -> None:
    response = client.get("/api/plugins")
    assert response.status_code == 200
    assert [plugin["id"] for plugin in response.json()] == BUILTIN_IDS
    assert {plugin["enabled"] for plugin in response.json()} == {False}


def test_plugin_is_enabled_and_disabled(client: TestClient) -> None:
    assert client.post("/api/plugins/uptime/enable").json()["enabled"] is True
    enabled = [p["id"] for p in client.get("/api/plugins").json() if p["enabled"]]
    assert enabled == ["uptime"]
    assert client.post("/api/plugins/uptime/disable").json()["enabled"] is False


@pytest.mark.parametrize("plugin_id", BUILTIN_IDS)
def test_execution_and_its_metrics_are_recorded(
    client: TestClient, database: URL, plugin_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client.post(f"/api/plugins/{plugin_id}/enable")
    response = client.post(f"/api/plugins/{plugin_id}/execute")
    assert response.status_code == 201
    execution = response.json()
    assert (execution["plugin_id"], execution["status"]) == (plugin_id, "succeeded")
    assert execution["started_at"] <= execution["completed_at"]
    rows = query(database, "SELECT id, plugin_id, status, error_message FROM plugin_executions")
    assert rows == [(execution["id"], plugin_id, "succeeded", None)]
    metrics = query(database, "SELECT plugin_id, name, jsonb_typeof(value) FROM plugin_metrics")
    assert metrics
    assert {row[0] for row in metrics} == {plugin_id}
    assert f"plugin {plugin_id} execution {execution['id']} succeeded" in caplog.text


def test_uptime_is_measured(client: TestClient, database: URL) -> None:
    client.post("/api/plugins/uptime/enable")
    client.post("/api/plugins/uptime/execute")
    rows = query(database, "SELECT name, (value #>> '{}')::float > 0 FROM plugin_metrics")
    assert rows == [("uptime_seconds", True)]


def test_executions_are_listed_newest_first(client: TestClient) -> None:
    client.post("/api/plugins/uptime/enable")
    ids = [client.post("/api/plugins/uptime/execute").json()["id"] for _ in range(3)]
    listed = client.get("/api/plugins/uptime/executions").json()
    assert [execution["id"] for execution in listed] == ids[::-1]
    assert len(client.get("/api/plugins/uptime/executions?limit=2").json()) == 2
    assert client.get("/api/plugins/disk-usage/executions").json() == []


def test_disabled_plugin_is_not_executed(client: TestClient, database: URL) -> None:
    response = client.post("/api/plugins/uptime/execute")
    assert response.status_code == 409
    assert "disabled; to enable it: POST /api/plugins/uptime/enable" in response.json()["detail"]
    assert query(database, "SELECT * FROM plugin_executions") == []


@pytest.mark.parametrize("action", ["enable", "disable", "execute"])
@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
def test_form_of_another_page_changes_nothing(
    client: TestClient, database: URL, action: str, content_type: str
) -> None:
    client.post("/api/plugins/uptime/enable")
    before = query(database, "SELECT xmin::text, id FROM plugins ORDER BY id")
    response = client.post(
        f"/api/plugins/uptime/{action}", headers={"Content-Type": content_type}, content="{}"
    )
    assert response.status_code == 415
    assert f"{content_type!r}; must be 'application/json'" in response.json()["detail"]
    assert query(database, "SELECT xmin::text, id FROM plugins ORDER BY id") == before
    assert query(database, "SELECT * FROM plugin_executions") == []


@pytest.mark.parametrize(
    ("method", "action"),
    [("POST", "enable"), ("POST", "disable"), ("POST", "execute"), ("GET", "executions")],
)
def test_unknown_plugin_is_not_found(client: TestClient, method: str, action: str) -> None:
    response = client.request(method, f"/api/plugins/nope/{action}")
    assert response.status_code == 404
    assert "plugin 'nope' not found" in response.json()["detail"]


def test_plugin_without_code_is_a_conflict(client: TestClient, database: URL) -> None:
    query(database, "INSERT INTO plugins (id, name, version, enabled) VALUES ('x', 'X', '1', true)")
    response = client.post("/api/plugins/x/execute")
    assert response.status_code == 409
    assert "has no code" in response.json()["detail"]


def test_failed_execution_is_recorded_with_its_error(
    database: URL, caplog: pytest.LogCaptureFixture
) -> None:
    with TestClient(create_app(database, [*BUILTIN_PLUGINS, BROKEN]), headers=JSON) as client:
        client.post("/api/plugins/broken/enable")
        execution = client.post("/api/plugins/broken/execute").json()
    assert (execution["status"], execution["error_message"]) == (
        "failed",
        "RuntimeError: no sensor",
    )
    rows = query(
        database, "SELECT status, error_message, completed_at > started_at FROM plugin_executions"
    )
    assert rows == [("failed", "RuntimeError: no sensor", True)]
    assert query(database, "SELECT * FROM plugin_metrics") == []
    assert "plugin broken execution 1 failed in 0." in caplog.text


def test_unavailable_database_is_503_and_no_password_is_logged(
    server: URL, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = server.set(host="127.0.0.1", port=closed.getsockname()[1], password="hush-hush")
        with TestClient(create_app(url)) as client:
            response = client.get("/api/plugins")
    assert response.status_code == 503
    assert "database unavailable; see GET /health" in response.json()["detail"]
    assert "database error in GET /api/plugins" in caplog.text
    assert "hush-hush" not in caplog.text + response.text


def test_password_in_an_error_is_masked(server: URL) -> None:
    url = server.set(password="hush-hush")
    assert describe_error(ValueError("bad: hush-hush\nmore"), url) == "bad: ***"
    assert describe_error(ValueError(), url) == "ValueError"


def test_meminfo_is_converted_to_bytes() -> None:
    text = "MemTotal:  10 kB\nMemFree: 1 kB\nMemAvailable:   4 kB\nHugePages_Total: 0\n"
    assert parse_meminfo(text) == {"total_bytes": 10240, "available_bytes": 4096}
