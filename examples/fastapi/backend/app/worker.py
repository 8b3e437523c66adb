"""Ships ordered items: ``python -m app.worker``."""

import asyncio
import signal

from sqlalchemy import func, update

from app.core.db import engine
from app.models import Item


async def ship() -> None:
    """Ship what is not shipped yet."""
    async with engine.begin() as connection:
        await connection.execute(update(Item).where(Item.shipped_at.is_(None)).values(shipped_at=func.now()))


async def main() -> None:
    """Ship each second until the pod is stopped."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    while not stopped.is_set():
        await ship()
        try:
            await asyncio.wait_for(stopped.wait(), timeout=1)
        except TimeoutError:
            continue
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
