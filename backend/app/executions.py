"""Execution of plugins."""

import json
import logging
from collections.abc import Mapping

from sqlalchemy import func
from sqlalchemy.orm import Session, sessionmaker

from app.builtin import Measurement, PluginDefinition
from app.models import ExecutionStatus, PluginExecution, PluginMetric

log = logging.getLogger(__name__)


def execute(sessions: sessionmaker[Session], plugin: PluginDefinition) -> PluginExecution:
    """Run a plugin and return the recorded execution, whether it succeeded or failed.

    The start is committed first, so that a run that hangs is listed as running, and no
    transaction stays open meanwhile.
    """
    with sessions.begin() as session:
        execution = PluginExecution(plugin_id=plugin.id)
        session.add(execution)
    metrics, error = _collect(plugin)
    with sessions.begin() as session:
        execution = session.get_one(PluginExecution, execution.id)
        execution.status = ExecutionStatus.SUCCEEDED if error is None else ExecutionStatus.FAILED
        execution.error_message = error
        execution.completed_at = func.clock_timestamp()
        session.add_all(
            PluginMetric(plugin_id=plugin.id, name=name, value=value)
            for name, value in metrics.items()
        )
        session.flush()
        session.refresh(execution)
    _log(execution, len(metrics))
    return execution


def _collect(plugin: PluginDefinition) -> tuple[Mapping[str, Measurement], str | None]:
    """Return the plugin's metrics, or an error message for any exception."""
    try:
        metrics = dict(plugin.collect())
        _require_storable(metrics)
    except Exception as error:
        return {}, _storable_text(f"{type(error).__name__}: {error}")
    return metrics, None


def _require_storable(metrics: Mapping[str, Measurement]) -> None:
    """Raise TypeError or ValueError for NaN, NUL, and objects, which can't be stored as JSON."""
    text = json.dumps(metrics, allow_nan=False, ensure_ascii=False)
    text.encode()
    if "\\u0000" in text:
        raise ValueError("a metric contains a NUL character, which PostgreSQL can't store")


def _storable_text(text: str) -> str:
    """Return the text without characters that PostgreSQL can't store: NUL and lone surrogates."""
    return text.encode("utf-8", "replace").decode().replace("\0", "?")


def _log(execution: PluginExecution, metric_count: int) -> None:
    """Log the execution on one line, including a multi-line error."""
    failed = execution.status == ExecutionStatus.FAILED
    log.log(
        logging.ERROR if failed else logging.INFO,
        "plugin %s execution %d %s in %.3f s: %s",
        execution.plugin_id,
        execution.id,
        execution.status,
        execution.duration_seconds,
        " ".join((execution.error_message or "").split()) if failed else f"{metric_count} metrics",
    )
