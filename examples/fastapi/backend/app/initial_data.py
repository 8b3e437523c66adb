"""Creates the first superuser, unless there is one: ``python -m app.initial_data``."""

import asyncio
import hashlib
import os

from sqlalchemy.dialects.postgresql import insert

from app.core.config import settings
from app.core.db import engine
from app.models import User


def hash_password(password: str) -> str:
    """Return a salted hash."""
    salt = os.urandom(16)
    return f"{salt.hex()}:{hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1).hex()}"


async def main() -> None:
    """Create the user; pods that start at the same time create one."""
    password = hash_password(settings.FIRST_SUPERUSER_PASSWORD)
    user = {"email": settings.FIRST_SUPERUSER, "hashed_password": password, "is_superuser": True}
    async with engine.begin() as connection:
        await connection.execute(insert(User).values(user).on_conflict_do_nothing(index_elements=["email"]))
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
