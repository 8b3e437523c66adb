"""Dashboards and their widgets."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, BigId, JsonObject, Now, Off, UpdatedAt


class Dashboard(Base):
    """A page of widgets, owned by a user."""

    __tablename__ = "dashboards"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: Mapped[BigId]
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str]
    layout: Mapped[JsonObject]
    shared: Mapped[Off]
    created_at: Mapped[Now]
    updated_at: Mapped[UpdatedAt]


class DashboardWidget(Base):
    """A tile of a dashboard, optionally for a plugin."""

    __tablename__ = "dashboard_widgets"
    __table_args__ = (
        CheckConstraint("position >= 0", name="position"),
        Index(None, "dashboard_id", "position"),
        Index(None, "plugin_id"),
    )

    id: Mapped[BigId]
    dashboard_id: Mapped[int] = mapped_column(ForeignKey("dashboards.id", ondelete="CASCADE"))
    plugin_id: Mapped[str | None] = mapped_column(ForeignKey("plugins.id", ondelete="SET NULL"))
    title: Mapped[str]
    kind: Mapped[str]
    position: Mapped[int] = mapped_column(server_default=text("0"))
    configuration: Mapped[JsonObject]
    created_at: Mapped[Now]
