"""Executes a plugin and records what happened."""

import logging
from collections.abc import Mapping

from sqlalchemy import func
from sqlalchemy.orm import Session, sessionmaker

from app.builtin import Measurement, PluginDefinition
from app.models import ExecutionStatus, PluginExecution, PluginMetric

log = logging.getLogger(__name__)


def execute(sessions: sessionmaker[Session], plugin: PluginDefinition) -> PluginExecution:
    """Run a plugin and return its recorded execution, succeeded or failed.

    The start is committed before the plugin runs, so that a run that never ends is
    seen as running; no transaction is open while it runs.
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
    """Return the plugin's metrics, or its error as text: a plugin may raise anything."""
    try:
        return dict(plugin.collect()), None
    except Exception as error:
        return {}, f"{type(error).__name__}: {error}"


def _log(execution: PluginExecution, metric_count: int) -> None:
    failed = execution.status == ExecutionStatus.FAILED
    log.log(
        logging.ERROR if failed else logging.INFO,
        "plugin %s execution %d %s: %s",
        execution.plugin_id,
        execution.id,
        execution.status,
        execution.error_message if failed else f"{metric_count} metrics",
    )
