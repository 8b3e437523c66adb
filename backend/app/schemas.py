"""JSON schemas of the plugin API."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from app.models import ExecutionStatus


class PluginRead(BaseModel):
    """A plugin."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    description: str
    version: str
    enabled: bool


class ExecutionRead(BaseModel):
    """An execution of a plugin."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    plugin_id: str
    started_at: datetime
    completed_at: datetime | None
    status: ExecutionStatus
    error_message: str | None
    duration_seconds: float | None
