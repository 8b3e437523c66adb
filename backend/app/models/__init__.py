"""The database schema as SQLAlchemy models: 17 tables, one file per area.

The Alembic chain in ``alembic/versions`` creates the same schema. A test compares them, so
change both together.
"""

from app.models.alerting import Alert, AlertRule
from app.models.auth import OAuthAccount, User, UserSession
from app.models.base import Base
from app.models.core import Metric, Server, Service
from app.models.dashboards import Dashboard, DashboardWidget
from app.models.notifications import NotificationChannel, NotificationLog
from app.models.plugins import (
    ExecutionStatus,
    MarketplacePlugin,
    Plugin,
    PluginAlert,
    PluginExecution,
    PluginMetric,
)

__all__ = [
    "Alert",
    "AlertRule",
    "Base",
    "Dashboard",
    "DashboardWidget",
    "ExecutionStatus",
    "MarketplacePlugin",
    "Metric",
    "NotificationChannel",
    "NotificationLog",
    "OAuthAccount",
    "Plugin",
    "PluginAlert",
    "PluginExecution",
    "PluginMetric",
    "Server",
    "Service",
    "User",
    "UserSession",
]
