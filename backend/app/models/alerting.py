"""Alerting: rules on metrics, and the alerts that they raise."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, BigId, Now, On, UpdatedAt


class AlertRule(Base):
    """A threshold on a metric of one server or of all servers."""

    __tablename__ = "alert_rules"
    __table_args__ = (
        CheckConstraint("comparison IN ('gt', 'ge', 'lt', 'le')", name="comparison"),
        CheckConstraint("duration_seconds >= 0", name="duration_seconds"),
        CheckConstraint("severity IN ('info', 'warning', 'critical')", name="severity"),
        UniqueConstraint("name"),
        Index(None, "server_id"),
        Index(None, "channel_id"),
    )

    id: Mapped[BigId]
    name: Mapped[str]
    server_id: Mapped[int | None] = mapped_column(ForeignKey("servers.id", ondelete="CASCADE"))
    channel_id: Mapped[int | None] = mapped_column(
        ForeignKey("notification_channels.id", ondelete="SET NULL")
    )
    metric_name: Mapped[str]
    comparison: Mapped[str]
    threshold: Mapped[float]
    duration_seconds: Mapped[int] = mapped_column(server_default=text("0"))
    severity: Mapped[str] = mapped_column(server_default=text("'warning'"))
    enabled: Mapped[On]
    created_at: Mapped[Now]
    updated_at: Mapped[UpdatedAt]


class Alert(Base):
    """An occurrence of a rule that fired."""

    __tablename__ = "alerts"
    __table_args__ = (
        CheckConstraint("status IN ('firing', 'acknowledged', 'resolved')", name="status"),
        Index(None, "rule_id", "fired_at"),
        Index(None, "server_id"),
        Index(None, "acknowledged_by"),
        Index(None, "status", "fired_at"),
    )

    id: Mapped[BigId]
    rule_id: Mapped[int] = mapped_column(ForeignKey("alert_rules.id", ondelete="CASCADE"))
    server_id: Mapped[int] = mapped_column(ForeignKey("servers.id", ondelete="CASCADE"))
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    status: Mapped[str] = mapped_column(server_default=text("'firing'"))
    value: Mapped[float]
    message: Mapped[str]
    fired_at: Mapped[Now]
    resolved_at: Mapped[datetime | None]
