"""Health: is the process alive, and is the database there and at the code's head."""

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

ANSWER_SECONDS = 1.5
"""How long /health waits for the database before it answers without it."""

HealthStatus = Literal["healthy", "unhealthy"]


class DatabaseHealth(BaseModel):
    """The database as a component: its revision, the code's head, and what is wrong."""

    status: HealthStatus
    revision: str | None
    head: str | None
    error: str | None = None


class Components(BaseModel):
    """What the service needs to be healthy."""

    database: DatabaseHealth


class Health(BaseModel):
    """The service is healthy if all its components are."""

    status: HealthStatus
    components: Components


class Readiness(BaseModel):
    """The service can answer requests: the database is there, at whatever revision."""

    ready: bool


class Liveness(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


def check_database(
    engine: Engine, heads: tuple[str, ...], tolerated: frozenset[str]
) -> DatabaseHealth:
    """Ask the database for its revision. Every fault becomes an unhealthy answer."""
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
    """Checks the database in a daemon thread, one check at a time; who comes later shares it.

    A database that hangs can so hold one thread, however often it is asked for, and
    does not delay the end of the process.
    """

    def __init__(
        self, engine: Engine, heads: tuple[str, ...], tolerated: frozenset[str] = frozenset()
    ) -> None:
        self._engine = engine
        self._heads = heads
        self._tolerated = tolerated
        self._lock = threading.Lock()
        self._running: Future[DatabaseHealth] | None = None

    async def check(self, seconds: float = ANSWER_SECONDS) -> DatabaseHealth:
        """Return the database's health within the given time, in seconds."""
        check = asyncio.wrap_future(self._start())
        done, _ = await asyncio.wait({check}, timeout=seconds)
        if check in done:
            return check.result()
        return _unreachable(f"the database did not answer within {seconds} s", self._heads)

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
    """JSON for people: operators read /health with curl."""

    def render(self, content: Any) -> bytes:
        """Return the content as indented JSON, with a line feed at its end."""
        return (json.dumps(content, indent=2) + "\n").encode()


router = APIRouter(tags=["health"])


@router.get("/health", response_class=IndentedJSON, response_model_exclude_defaults=True)
async def health(request: Request, response: Response) -> Health:
    """Answer 200 when the database is at the code's head, else 503 with the cause."""
    probe: DatabaseProbe = request.app.state.probe
    database = await probe.check()
    if database.status != "healthy":
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return Health(status=database.status, components=Components(database=database))


@router.get("/health/ready")
async def ready(request: Request, response: Response) -> Readiness:
    """Answer 200 when requests can be served, else 503.

    Unlike /health it accepts a database that is not at the code's head: while a release
    is rolled out, the schema is ahead of the pods that still serve.
    """
    probe: DatabaseProbe = request.app.state.probe
    answer = Readiness(ready=(await probe.check()).revision is not None)
    if not answer.ready:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return answer


@router.get("/health/live")
async def live() -> Liveness:
    """Answer 200 as long as the process answers at all; the database is not asked."""
    return Liveness()
