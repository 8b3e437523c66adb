"""Database engines and error messages."""

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.pool import NullPool

CONNECT_TIMEOUT_SECONDS = 2
"""Timeout of a connection attempt (libpq's minimum is 2)."""

POOL_TIMEOUT_SECONDS = 5
"""How long a request waits for a connection from the pool."""

DEAD_PEER_OPTIONS = {
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 10_000,
}
"""libpq options that detect a database that disappeared without closing its connections."""


def create_pooled_engine(url: URL, heads: tuple[str, ...]) -> Engine:
    """Return the engine for requests, which tests connections before each use.

    Its sessions name the heads of the code: a migration that breaks older code waits until
    they are gone.
    """
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        connect_args=DEAD_PEER_OPTIONS | {"application_name": f"unity-backend@{','.join(heads)}"},
    )


def create_probe_engine(url: URL) -> Engine:
    """Return the engine for health checks, which opens a new connection each time.

    A busy pool then does not fail a check, and a check proves that the database accepts
    new connections.
    """
    return create_engine(
        url,
        poolclass=NullPool,
        connect_args=DEAD_PEER_OPTIONS | {"application_name": "unity-backend-health"},
    )


def describe_error(error: Exception, url: URL) -> str:
    """Return the first line of an error, without the password.

    Prefers the driver's error, because SQLAlchemy's contains the statement and its parameters.
    """
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines()
    message = lines[0] if lines else type(cause).__name__
    password = url.password
    return message.replace(str(password), "***") if password else message
