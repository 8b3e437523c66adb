"""Health endpoints: the process, and the database's availability and revision."""

import asyncio
import json
import threading
from concurrent.futures import Future
from typing import Any, Literal

from fastapi import APIRouter, Request, Response, status
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.database import describe_error
from app.revisions import compare_revisions, read_current

TIMEOUT_SECONDS = 1.5
"""How long /health waits for the database."""

HealthStatus = Literal["healthy", "unhealthy"]


class DatabaseHealth(BaseModel):
    """The health of the database: its revision, the code's head, and the error, if any."""

    status: HealthStatus
    revision: str | None
    head: str | None
    error: str | None = None


class Components(BaseModel):
    """The components of the service."""

    database: DatabaseHealth


class Health(BaseModel):
    """The health of the service, which requires all components to be healthy."""

    status: HealthStatus
    components: Components


class Readiness(BaseModel):
    """Whether the service can handle requests: the database is available, at any revision."""

    ready: bool


class Liveness(BaseModel):
    """The process is running."""

    status: Literal["alive"] = "alive"


def check_database(
    engine: Engine, heads: tuple[str, ...], tolerated: frozenset[str]
) -> DatabaseHealth:
    """Query the database's revision. Any error is reported as unhealthy."""
    try:
        current = read_current(engine)
    except SQLAlchemyError as error:
        return _unreachable(describe_error(error, engine.url), heads)
    state = compare_revisions(current, heads, tolerated)
    return DatabaseHealth(
        status="unhealthy" if state.error else "healthy",
        revision=state.revision,
        head=state.head,
        error=state.error,
    )


def _unreachable(error: str, heads: tuple[str, ...]) -> DatabaseHealth:
    head = heads[0] if len(heads) == 1 else None
    return DatabaseHealth(status="unhealthy", revision=None, head=head, error=error)


class DatabaseProbe:
    """Checks the database in a daemon thread. Concurrent callers share one check.

    A database that hangs therefore blocks at most one thread, and does not delay the exit
    of the process.
    """

    def __init__(
        self, engine: Engine, heads: tuple[str, ...], tolerated: frozenset[str] = frozenset()
    ) -> None:
        self._engine = engine
        self._heads = heads
        self._tolerated = tolerated
        self._lock = threading.Lock()
        self._running: Future[DatabaseHealth] | None = None

    async def check(self, seconds: float = TIMEOUT_SECONDS) -> DatabaseHealth:
        """Return the database's health within a timeout."""
        check = asyncio.wrap_future(self._start())
        done, _ = await asyncio.wait({check}, timeout=seconds)
        if check in done:
            return check.result()
        return _unreachable(f"timed out after {seconds}s", self._heads)

    def _start(self) -> Future[DatabaseHealth]:
        with self._lock:
            if self._running is None or self._running.done():
                self._running = Future()
                threading.Thread(target=self._run, args=(self._running,), daemon=True).start()
            return self._running

    def _run(self, result: Future[DatabaseHealth]) -> None:
        try:
            result.set_result(check_database(self._engine, self._heads, self._tolerated))
        except Exception as error:
            result.set_exception(error)


class IndentedJSON(JSONResponse):
    """Indented JSON, because operators read /health with curl."""

    def render(self, content: Any) -> bytes:
        """Return indented JSON with a trailing newline."""
        return (json.dumps(content, indent=2) + "\n").encode()


router = APIRouter(tags=["health"])


@router.get("/health", response_class=IndentedJSON, response_model_exclude_defaults=True)
async def health(request: Request, response: Response) -> Health:
    """Return 200 if the database is at the code's head, otherwise 503 with the error."""
    probe: DatabaseProbe = request.app.state.probe
    database = await probe.check()
    if database.status != "healthy":
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return Health(status=database.status, components=Components(database=database))


@router.get("/health/ready")
async def ready(request: Request, response: Response) -> Readiness:
    """Return 200 if the service can handle requests, otherwise 503.

    Unlike /health, this accepts a database that is not at the code's head: during a
    rollout, the schema is ahead of the pods of the previous release.
    """
    probe: DatabaseProbe = request.app.state.probe
    readiness = Readiness(ready=(await probe.check()).revision is not None)
    if not readiness.ready:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return readiness


@router.get("/health/live")
async def live() -> Liveness:
    """Return 200 while the process runs, without querying the database."""
    return Liveness()
