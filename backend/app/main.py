"""Entry point of the server: ``uvicorn app.main:app``."""

import logging

from app.application import create_app
from app.config import (
    SettingsError,
    database_url_from_environment,
    tolerated_revisions_from_environment,
)

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s [%(name)s] %(message)s")
logging.getLogger("alembic").setLevel(logging.WARNING)
try:
    app = create_app(
        database_url_from_environment(),
        tolerated_revisions=tolerated_revisions_from_environment(),
    )
except SettingsError as error:
    raise SystemExit(f"error: {error}") from None
