"""The plugin API: list, enable, disable, and execute plugins, and list executions."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request, status
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app.builtin import PluginDefinition
from app.executions import execute
from app.models import Plugin, PluginExecution
from app.registration import register_plugins
from app.schemas import ExecutionRead, PluginRead

JSON = "application/json"


def _reject_forms(request: Request) -> None:
    """Accept POST requests only with JSON.

    A page of another origin can make a browser send forms and plain text, but JSON only after
    a CORS preflight, which fails here. This prevents cross-site requests without a token.
    """
    if request.method != "POST":
        return
    given = request.headers.get("content-type", "")
    if given.partition(";")[0].strip().lower() != JSON:
        raise HTTPException(
            status.HTTP_415_UNSUPPORTED_MEDIA_TYPE,
            f"unsupported content type {given!r}; must be {JSON!r}. "
            f"Run: curl -X POST -H 'Content-Type: {JSON}' {request.url.path}",
        )


router = APIRouter(prefix="/api/plugins", tags=["plugins"], dependencies=[Depends(_reject_forms)])


def _sessions(request: Request) -> sessionmaker[Session]:
    sessions: sessionmaker[Session] = request.app.state.sessions
    return sessions


def _definitions(request: Request) -> Mapping[str, PluginDefinition]:
    definitions: Mapping[str, PluginDefinition] = request.app.state.definitions
    return definitions


Sessions = Annotated["sessionmaker[Session]", Depends(_sessions)]
Definitions = Annotated[Mapping[str, PluginDefinition], Depends(_definitions)]


def _find(session: Session, plugin_id: str) -> Plugin:
    plugin = session.get(Plugin, plugin_id)
    if plugin is None:
        raise HTTPException(
            status.HTTP_404_NOT_FOUND,
            f"plugin {plugin_id!r} not found; see GET /api/plugins",
        )
    return plugin


def _switch(sessions: sessionmaker[Session], plugin_id: str, enabled: bool) -> Plugin:
    with sessions.begin() as session:
        plugin = _find(session, plugin_id)
        plugin.enabled = enabled
    return plugin


@router.get("", response_model=list[PluginRead])
def list_plugins(sessions: Sessions, definitions: Definitions) -> list[Plugin]:
    """List all plugins by id.

    Registers missing built-in plugins, which a database lacks if it was restored while this
    process ran.
    """
    query = select(Plugin).order_by(Plugin.id)
    with sessions.begin() as session:
        plugins = list(session.scalars(query))
        if definitions.keys() <= {plugin.id for plugin in plugins}:
            return plugins
        register_plugins(session.connection(), definitions.values())
        return list(session.scalars(query))


@router.post("/{plugin_id}/enable", response_model=PluginRead)
def enable_plugin(plugin_id: str, sessions: Sessions) -> Plugin:
    """Enable a plugin."""
    return _switch(sessions, plugin_id, enabled=True)


@router.post("/{plugin_id}/disable", response_model=PluginRead)
def disable_plugin(plugin_id: str, sessions: Sessions) -> Plugin:
    """Disable a plugin."""
    return _switch(sessions, plugin_id, enabled=False)


@router.post(
    "/{plugin_id}/execute", response_model=ExecutionRead, status_code=status.HTTP_201_CREATED
)
def execute_plugin(plugin_id: str, sessions: Sessions, definitions: Definitions) -> PluginExecution:
    """Execute an enabled plugin and return the recorded execution.

    A failed execution is recorded, too, and returned as 201 with the status ``failed``.
    """
    with sessions() as session:
        plugin = _find(session, plugin_id)
    definition = definitions.get(plugin_id)
    if definition is None:
        raise HTTPException(
            status.HTTP_409_CONFLICT, f"plugin {plugin_id!r} has no code in this version of Unity"
        )
    if not plugin.enabled:
        raise HTTPException(
            status.HTTP_409_CONFLICT,
            f"plugin {plugin_id!r} is disabled; to enable it: POST /api/plugins/{plugin_id}/enable",
        )
    return execute(sessions, definition)


@router.get("/{plugin_id}/executions", response_model=list[ExecutionRead])
def list_executions(
    plugin_id: str, sessions: Sessions, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> list[PluginExecution]:
    """List a plugin's executions, newest first."""
    query = (
        select(PluginExecution)
        .where(PluginExecution.plugin_id == plugin_id)
        .order_by(PluginExecution.started_at.desc(), PluginExecution.id.desc())
        .limit(limit)
    )
    with sessions() as session:
        _find(session, plugin_id)
        return list(session.scalars(query))
