"""The API: ``uvicorn app.main:app``."""

from fastapi import APIRouter, FastAPI
from sqlalchemy import select

from app.core.config import settings
from app.core.db import new_session
from app.models import Item

router = APIRouter(prefix="/api/v1")


@router.get("/utils/health-check/")
async def health_check() -> bool:
    """Return true while the process runs."""
    return True


@router.get("/items/")
async def items() -> list[str]:
    """Return the titles of all items, the oldest first."""
    async with new_session() as session:
        return list(await session.scalars(select(Item.title).order_by(Item.created_at)))


app = FastAPI(title=settings.PROJECT_NAME)
app.include_router(router)
