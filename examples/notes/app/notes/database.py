"""Where the database is."""

import os

from sqlalchemy import URL, make_url


def url_from_environment() -> URL:
    """Return DATABASE_URL, for the driver that the image has."""
    return make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg")
