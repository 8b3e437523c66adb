"""Executions: the row with its duration, and the log line."""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import URL

from app.application import create_app
from app.builtin import PluginDefinition
from tests.support import JSON, query


def run(database: URL, collect: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """Execute a plugin and return its execution."""
    plugin = PluginDefinition("probe", "Probe", "For tests.", "1.0.0", collect)
    with TestClient(create_app(database, [plugin]), headers=JSON) as client:
        client.post("/api/plugins/probe/enable")
        execution: dict[str, Any] = client.post("/api/plugins/probe/execute").json()
        assert client.get("/api/plugins/probe/executions").json() == [execution]
    return execution


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the log lines of executions."""
    return [record.message for record in caplog.records if record.name == "app.executions"]


def test_execution_logs_one_line_with_plugin_id_status_and_duration(
    database: URL, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    execution = run(database, lambda: {"answer": 42})
    sql = "SELECT id, extract(epoch FROM completed_at - started_at)::float8 FROM plugin_executions"
    assert query(database, sql) == [(execution["id"], execution["duration_seconds"])]
    assert execution["duration_seconds"] > 0
    seconds = f"{execution['duration_seconds']:.3f}"
    assert lines_of(caplog) == [
        f"plugin probe execution {execution['id']} succeeded in {seconds} s: 1 metrics"
    ]


def test_multiline_error_is_logged_on_one_line(
    database: URL, caplog: pytest.LogCaptureFixture
) -> None:
    def collect() -> Mapping[str, Any]:
        raise RuntimeError("first\n2026-01-01 INFO [forged] second")

    execution = run(database, collect)
    assert execution["error_message"] == "RuntimeError: first\n2026-01-01 INFO [forged] second"
    (line,) = lines_of(caplog)
    assert re.fullmatch(
        r"plugin probe execution 1 failed in \d+\.\d{3} s: "
        r"RuntimeError: first 2026-01-01 INFO \[forged\] second",
        line,
    )


def test_running_execution_has_no_duration(client: TestClient, database: URL) -> None:
    query(database, "INSERT INTO plugin_executions (plugin_id) VALUES ('uptime')")
    (execution,) = client.get("/api/plugins/uptime/executions").json()
    assert (execution["status"], execution["completed_at"]) == ("running", None)
    assert execution["duration_seconds"] is None


@pytest.mark.parametrize(
    "value", [float("nan"), object(), "a\0b", {"deep": "\0"}, "\ud800"], ids=repr
)
def test_metric_that_cannot_be_stored_fails_the_execution(database: URL, value: object) -> None:
    execution = run(database, lambda: {"value": value})
    assert execution["status"] == "failed"
    assert execution["error_message"]
    assert query(database, "SELECT * FROM plugin_metrics") == []


@pytest.mark.parametrize("text", ["a\0b", "\ud800"], ids=repr)
def test_error_is_stored_without_characters_that_cannot_be_stored(database: URL, text: str) -> None:
    def collect() -> Mapping[str, Any]:
        raise RuntimeError(text)

    execution = run(database, collect)
    assert execution["error_message"] in ("RuntimeError: a?b", "RuntimeError: ?")
