"""Connect to the database of the pod's DATABASE_URL, for programs that are sent into a pod.

Works in any image with Python 3.7 and psycopg, psycopg2, or another driver of SQLAlchemy. Never prints the URL.
"""

import os

from runner_text import printable, redact
from runner_url import arguments, libpq_arguments, parse_url
from transaction import SETUP

URL = os.environ.get("DATABASE_URL", "")


def connect():
    """Return a connection of the driver in its first transaction, which calls only PostgreSQL's own functions.

    Only the transaction has a search_path of its own, because a pooler would pass a session's on to the backend.
    `unity.schemas` keeps the path from before, which is the backend's. Raises ValueError if the URL is missing or
    invalid.
    """
    connection = open_connection()
    for statement in SETUP:
        connection.cursor().execute(statement)
    return connection


def open_connection():
    """Return a connection of the driver, or raise ValueError if the URL is missing or invalid."""
    if not URL:
        raise ValueError("DATABASE_URL is not set in the pod")
    url = parse_url("DATABASE_URL", URL)
    for driver in ("psycopg", "psycopg2"):
        try:
            return __import__(driver).connect(**dict({"connect_timeout": 10}, **libpq_arguments(url)))
        except ImportError:
            pass
    try:
        import pg8000.dbapi
    except ImportError:
        import sqlalchemy

        return sqlalchemy.create_engine(URL).raw_connection()
    return pg8000.dbapi.connect(**arguments(url, "pg8000", "", "")[0])


def describe(error):
    """Return an error without the URL and its password, and without characters that a terminal would run."""
    message = str(error).replace(URL or "\n", "[secret]")
    return printable(redact(f"{type(error).__name__}: {message.strip()}", [URL]))
