"""The database URL."""

import os

from sqlalchemy import URL, make_url


def url_from_environment() -> URL:
    """Return DATABASE_URL with the driver psycopg 3."""
    return make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg")
