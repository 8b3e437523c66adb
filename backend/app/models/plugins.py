"""Plugins: the registry, the marketplace, executions, metrics, and alerts."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, BigId, JsonObject, Now, Off, On, UpdatedAt


class ExecutionStatus(StrEnum):
    """The statuses of an execution, enforced by a CHECK constraint."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Plugin(Base):
    """A registered plugin. Its id is a stable short name."""

    __tablename__ = "plugins"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default=text("''"))
    version: Mapped[str]
    enabled: Mapped[Off]
    configuration: Mapped[JsonObject]
    created_at: Mapped[Now]
    updated_at: Mapped[UpdatedAt]


class MarketplacePlugin(Base):
    """An available plugin. ``plugin_id`` is set once it is installed."""

    __tablename__ = "marketplace_plugins"
    __table_args__ = (
        CheckConstraint("downloads >= 0", name="downloads"),
        UniqueConstraint("slug"),
        Index(None, "plugin_id"),
    )

    id: Mapped[BigId]
    slug: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default=text("''"))
    author: Mapped[str]
    version: Mapped[str]
    downloads: Mapped[int] = mapped_column(server_default=text("0"))
    plugin_id: Mapped[str | None] = mapped_column(ForeignKey("plugins.id", ondelete="SET NULL"))
    published_at: Mapped[Now]


class PluginExecution(Base):
    """An execution of a plugin."""

    __tablename__ = "plugin_executions"
    __table_args__ = (
        CheckConstraint("status IN ('running', 'succeeded', 'failed')", name="status"),
        CheckConstraint("completed_at >= started_at", name="completed_at"),
        Index(None, "plugin_id", "started_at"),
    )

    id: Mapped[BigId]
    plugin_id: Mapped[str] = mapped_column(ForeignKey("plugins.id", ondelete="CASCADE"))
    started_at: Mapped[Now]
    completed_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(server_default=text("'running'"))
    error_message: Mapped[str | None]

    @property
    def duration_seconds(self) -> float | None:
        """The duration, or None while it runs."""
        if self.completed_at is None:
            return None
        return (self.completed_at - self.started_at).total_seconds()


class PluginMetric(Base):
    """A measurement of a plugin. The index supports time-range queries per plugin."""

    __tablename__ = "plugin_metrics"
    __table_args__ = (Index(None, "plugin_id", "timestamp"),)

    id: Mapped[BigId]
    plugin_id: Mapped[str] = mapped_column(ForeignKey("plugins.id", ondelete="CASCADE"))
    timestamp: Mapped[Now]
    name: Mapped[str]
    value: Mapped[Any] = mapped_column(JSONB)


class PluginAlert(Base):
    """The conditions and the severity of an alert on a plugin's metrics."""

    __tablename__ = "plugin_alerts"
    __table_args__ = (
        CheckConstraint("severity IN ('info', 'warning', 'critical')", name="severity"),
        UniqueConstraint("plugin_id", "name"),
    )

    id: Mapped[BigId]
    plugin_id: Mapped[str] = mapped_column(ForeignKey("plugins.id", ondelete="CASCADE"))
    name: Mapped[str]
    severity: Mapped[str] = mapped_column(server_default=text("'warning'"))
    conditions: Mapped[JsonObject]
    enabled: Mapped[On]
    created_at: Mapped[Now]
    updated_at: Mapped[UpdatedAt]
