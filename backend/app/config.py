"""Settings, read from the environment."""

import os
from collections.abc import Mapping

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

VARIABLE = "DATABASE_URL"
DRIVER = "postgresql+psycopg"
SCHEMES = ("postgresql", "postgres", DRIVER)
EXAMPLE = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"


class SettingsError(ValueError):
    """A missing or invalid setting. The message omits the value, which contains a password."""


def parse_database_url(value: str) -> URL:
    """Return the URL with the driver psycopg 3.

    :raises SettingsError: If it is not a PostgreSQL URL with a host and a database.
    """
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        raise SettingsError(
            f"{VARIABLE} is not a URL (value hidden). Set it to {EXAMPLE}, "
            "with special characters in the password percent-encoded."
        ) from None
    if url.drivername not in SCHEMES:
        raise SettingsError(
            f"{VARIABLE} has an unsupported scheme (value hidden). "
            f"Allowed: {', '.join(SCHEMES)}. Set it to {EXAMPLE}."
        )
    if not url.database or not (url.host or "host" in url.query):
        raise SettingsError(
            f"{VARIABLE} has no host or no database (value hidden). Set it to {EXAMPLE}."
        )
    return url.set(drivername=DRIVER)


def tolerated_revisions_from_environment(
    environment: Mapping[str, str] = os.environ,
) -> frozenset[str]:
    """Return TOLERATED_REVISIONS, comma-separated revisions of later releases."""
    return frozenset(environment.get("TOLERATED_REVISIONS", "").replace(",", " ").split())


def database_url_from_environment(environment: Mapping[str, str] = os.environ) -> URL:
    """Return DATABASE_URL.

    :raises SettingsError: If it is missing or invalid.
    """
    value = environment.get(VARIABLE, "").strip()
    if not value:
        raise SettingsError(f"{VARIABLE} is not set. Set it to {EXAMPLE}.")
    return parse_database_url(value)
