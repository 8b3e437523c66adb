"""Engines for the database, and how its errors are told to people."""

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.pool import NullPool

CONNECT_TIMEOUT_SECONDS = 2
"""How long one attempt to connect may take (libpq's own minimum is 2)."""

POOL_TIMEOUT_SECONDS = 5
"""How long a request waits for a free connection of the pool."""

DEAD_PEER_OPTIONS = {
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 10_000,
}
"""libpq's options that notice a database that vanished without closing its connections."""


def create_pooled_engine(url: URL) -> Engine:
    """Return the engine for requests; connections are tested before each use."""
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        connect_args=DEAD_PEER_OPTIONS | {"application_name": "unity-backend"},
    )


def create_probe_engine(url: URL) -> Engine:
    """Return the engine for health checks: a new connection each time, never pooled.

    So a busy pool does not look like a broken database, and a check proves that the
    database takes new connections.
    """
    return create_engine(
        url,
        poolclass=NullPool,
        connect_args=DEAD_PEER_OPTIONS | {"application_name": "unity-backend-health"},
    )


def describe_error(error: Exception, url: URL) -> str:
    """Return an error's first line, as people may read it: without the password.

    SQLAlchemy's own text holds the statement and its parameters, so the driver's error
    is preferred where there is one.
    """
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines()
    message = lines[0] if lines else type(cause).__name__
    password = url.password
    return message.replace(str(password), "***") if password else message
