"""Monitored servers, the services on them, and their metrics."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, BigId, Now, UpdatedAt


class Server(Base):
    """A machine of the homelab."""

    __tablename__ = "servers"
    __table_args__ = (
        CheckConstraint("status IN ('unknown', 'online', 'offline')", name="status"),
        UniqueConstraint("name"),
    )

    id: Mapped[BigId]
    name: Mapped[str]
    hostname: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'unknown'"))
    last_seen_at: Mapped[datetime | None]
    created_at: Mapped[Now]
    updated_at: Mapped[UpdatedAt]


class Service(Base):
    """A monitored program on a server."""

    __tablename__ = "services"
    __table_args__ = (
        CheckConstraint("port BETWEEN 1 AND 65535", name="port"),
        CheckConstraint("status IN ('unknown', 'up', 'down')", name="status"),
        UniqueConstraint("server_id", "name"),
    )

    id: Mapped[BigId]
    server_id: Mapped[int] = mapped_column(ForeignKey("servers.id", ondelete="CASCADE"))
    name: Mapped[str]
    port: Mapped[int | None]
    status: Mapped[str] = mapped_column(server_default=text("'unknown'"))
    created_at: Mapped[Now]
    updated_at: Mapped[UpdatedAt]


class Metric(Base):
    """A measurement of a server, or of a service on it."""

    __tablename__ = "metrics"
    __table_args__ = (
        Index(None, "server_id", "name", "recorded_at"),
        Index(None, "service_id"),
    )

    id: Mapped[BigId]
    server_id: Mapped[int] = mapped_column(ForeignKey("servers.id", ondelete="CASCADE"))
    service_id: Mapped[int | None] = mapped_column(ForeignKey("services.id", ondelete="CASCADE"))
    name: Mapped[str]
    value: Mapped[float]
    recorded_at: Mapped[Now]
