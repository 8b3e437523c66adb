"""Notification channels and the log of sent notifications."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, BigId, JsonObject, Now, On, UpdatedAt


class NotificationChannel(Base):
    """A recipient of notifications, such as a mailbox or a webhook."""

    __tablename__ = "notification_channels"
    __table_args__ = (
        CheckConstraint("kind IN ('email', 'slack', 'webhook')", name="kind"),
        UniqueConstraint("name"),
        Index(None, "created_by"),
    )

    id: Mapped[BigId]
    name: Mapped[str]
    kind: Mapped[str]
    configuration: Mapped[JsonObject]
    enabled: Mapped[On]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Now]
    updated_at: Mapped[UpdatedAt]


class NotificationLog(Base):
    """A notification and its delivery status."""

    __tablename__ = "notification_logs"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'sent', 'failed')", name="status"),
        Index(None, "channel_id", "created_at"),
    )

    id: Mapped[BigId]
    channel_id: Mapped[int] = mapped_column(
        ForeignKey("notification_channels.id", ondelete="CASCADE")
    )
    subject: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'pending'"))
    error_message: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    created_at: Mapped[Now]
