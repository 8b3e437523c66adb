"""The service's settings. They come from the environment only."""

import os
from collections.abc import Mapping

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

VARIABLE = "DATABASE_URL"
DRIVER = "postgresql+psycopg"
SCHEMES = ("postgresql", "postgres", DRIVER)
EXAMPLE = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"


class SettingsError(ValueError):
    """A setting is missing or wrong. The message never holds the value: it has a password."""


def parse_database_url(value: str) -> URL:
    """Return the URL with the driver of this service (psycopg 3).

    Raises SettingsError for anything that is not a PostgreSQL URL with host and database.
    """
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        raise SettingsError(
            f"{VARIABLE} is not a URL (the value is not shown). Set it to {EXAMPLE}, "
            "with special characters of the password percent-encoded."
        ) from None
    if url.drivername not in SCHEMES:
        raise SettingsError(
            f"{VARIABLE} has a scheme that is not supported (the value is not shown). "
            f"Allowed: {', '.join(SCHEMES)}. Set it to {EXAMPLE}."
        )
    if not url.database or not (url.host or "host" in url.query):
        raise SettingsError(
            f"{VARIABLE} names no host or no database (the value is not shown). "
            f"Set it to {EXAMPLE}."
        )
    return url.set(drivername=DRIVER)


def tolerated_revisions_from_environment(
    environment: Mapping[str, str] = os.environ,
) -> frozenset[str]:
    """Return the revisions of later releases that the code runs on, from TOLERATED_REVISIONS.

    They have commas between them; none by default.
    """
    return frozenset(environment.get("TOLERATED_REVISIONS", "").replace(",", " ").split())


def database_url_from_environment(environment: Mapping[str, str] = os.environ) -> URL:
    """Return the database's URL from DATABASE_URL, or raise SettingsError."""
    value = environment.get(VARIABLE, "").strip()
    if not value:
        raise SettingsError(f"{VARIABLE} is not set. Set it to {EXAMPLE}.")
    return parse_database_url(value)
