"""The FastAPI application, independent of the environment."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, status
from fastapi.responses import JSONResponse
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import sessionmaker

from app import health, pages, plugins
from app.builtin import BUILTIN_PLUGINS, PluginDefinition
from app.database import create_pooled_engine, create_probe_engine, describe_error
from app.health import DatabaseProbe
from app.registration import Registration
from app.revisions import read_heads

FIRST_REGISTRATION_SECONDS = 1.0
"""How long the startup waits for the registration of plugins, which continues in the background."""

log = logging.getLogger(__name__)


def create_app(
    url: URL,
    definitions: Sequence[PluginDefinition] = BUILTIN_PLUGINS,
    tolerated_revisions: frozenset[str] = frozenset(),
) -> FastAPI:
    """Return the application for a database. It starts even if the database is down."""
    heads = read_heads()
    engine = create_pooled_engine(url, heads)
    probe_engine = create_probe_engine(url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        registration = Registration(engine, definitions)
        registration.start()
        await asyncio.to_thread(registration.first_attempt.wait, FIRST_REGISTRATION_SECONDS)
        yield
        registration.stop()
        engine.dispose()

    async def report_database_error(request: Request, error: Exception) -> JSONResponse:
        """Return 503, and log the cause on one line without the password and parameters."""
        path, cause = request.url.path, describe_error(error, url)
        log.error("database error in %s %s: %s", request.method, path, cause)
        return JSONResponse(
            {"detail": "database unavailable; see GET /health"},
            status.HTTP_503_SERVICE_UNAVAILABLE,
        )

    app = FastAPI(title="Unity", lifespan=lifespan)
    app.state.sessions = sessionmaker(engine, expire_on_commit=False)
    app.state.definitions = {plugin.id: plugin for plugin in definitions}
    app.state.probe = DatabaseProbe(probe_engine, heads, tolerated_revisions)
    app.include_router(health.router)
    app.include_router(plugins.router)
    app.include_router(pages.router)
    app.mount("/static", pages.static)
    app.add_exception_handler(SQLAlchemyError, report_database_error)
    return app
