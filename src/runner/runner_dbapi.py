"""What the drivers of PostgreSQL do differently, for the runner and for programs that are sent into a pod.

Python 3.7, standard library only.
"""

from __future__ import annotations

from typing import Any, Callable, TypeVar

DRIVERS = ("psycopg", "psycopg2", "pg8000", "asyncpg")
"""Drivers for sessions of ours, the first that the image has."""

SUITS = {
    "read-write": """
        SELECT NOT pg_catalog.pg_is_in_recovery()
            AND pg_catalog.current_setting('transaction_read_only') OPERATOR(pg_catalog.=) 'off'""",
    "read-only": """
        SELECT pg_catalog.pg_is_in_recovery()
            OR pg_catalog.current_setting('transaction_read_only') OPERATOR(pg_catalog.=) 'on'""",
    "primary": "SELECT NOT pg_catalog.pg_is_in_recovery()",
    "standby": "SELECT pg_catalog.pg_is_in_recovery()",
}
"""Whether a server has the attributes of libpq's `target_session_attrs`; any server has the others."""

Session = TypeVar("Session")


def first_suitable(
    attempts: list[dict[str, Any]],
    attributes: str,
    connect: Callable[[dict[str, Any]], Session],
    scalar: Callable[[Session, str], Any],
    is_transient: Callable[[Exception], bool],
) -> Session:
    """Do what libpq does with several hosts, for a driver that takes only one.

    :param attributes: The URL's `target_session_attrs`.
    :param is_transient: Whether another host may succeed after an error of `connect`.
    :raises Exception: The last error of `connect`, or a ConnectionError if no host has the attributes.
    """
    failure: Exception = ConnectionError(f"no host of the URL is {attributes}, as target_session_attrs requires")
    for wanted in ["standby", "any"] if attributes == "prefer-standby" else [attributes]:
        for attempt in attempts:
            try:
                session = connect(attempt)
            except Exception as error:
                if not is_transient(error):
                    raise
                failure = error
                continue
            if wanted not in SUITS or scalar(session, SUITS[wanted]):
                return session
            session.close()  # type: ignore[attr-defined]
    raise failure


def driver_session(connection: Any) -> Any:
    """Return the driver's session of a SQLAlchemy connection. SQLAlchemy before 1.4.24 has no `dbapi_connection`."""
    pooled = connection.connection
    return getattr(pooled, "dbapi_connection", None) or pooled.connection


def driver_sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of a driver's error, or None."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if state is None and error.args and isinstance(error.args[0], dict):  # pg8000's fields of the server's message
        state = error.args[0].get("C")
    return state if isinstance(state, str) else None


def query(connection: Any, sql: str) -> tuple[Any, ...]:
    """Return the first row of a query in a driver's session."""
    cursor = connection.cursor()
    try:
        cursor.execute(sql)
        return tuple(cursor.fetchone())
    finally:
        cursor.close()
