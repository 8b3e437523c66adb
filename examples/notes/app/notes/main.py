"""Entry point of the server: ``uvicorn notes.main:app``."""

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from notes.database import url_from_environment

app = FastAPI(title="Notes")
engine = create_engine(url_from_environment(), pool_pre_ping=True)


@app.get("/healthz")
def alive() -> dict[str, bool]:
    """Return 200 while the process runs."""
    return {"alive": True}


@app.get("/readyz")
def ready() -> JSONResponse:
    """Return 200 while the database is available."""
    try:
        with engine.connect() as connection:
            revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError:
        return JSONResponse({"ready": False}, 503)
    return JSONResponse({"ready": True, "revision": revision})


@app.get("/notes")
def notes() -> list[str]:
    """Return all notes, pinned ones first."""
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT body FROM notes ORDER BY pinned DESC, id")))
