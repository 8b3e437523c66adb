"""Connect to the database of the pod's DATABASE_URL, for programs that are sent into a pod.

Works in any image with Python 3.7 and psycopg, psycopg2, or another driver of SQLAlchemy. Never prints the URL.
"""

import os
import re

from runner_text import printable, redact
from transaction import SETUP

URL = os.environ.get("DATABASE_URL", "")
PLAIN_URL = re.sub(r"^postgres(ql)?([+]\w+)?:", "postgresql:", URL)


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
    # The driver's error would repeat parts of an invalid URL, or of a password that isn't percent-encoded.
    if not re.match(r"postgresql://([^/?#@\s]*@)?[^/?#@\s]*(/[^?#@]*)?([?].*)?$", PLAIN_URL):
        raise ValueError("DATABASE_URL (value hidden) is not a PostgreSQL URL")
    for driver in ("psycopg", "psycopg2"):
        try:
            return __import__(driver).connect(PLAIN_URL, connect_timeout=10)
        except ImportError:
            pass
    import sqlalchemy

    return sqlalchemy.create_engine(URL).raw_connection()


def describe(error):
    """Return an error without the URL and its password, and without characters that a terminal would run."""
    message = str(error).replace(URL or "\n", "[secret]").replace(PLAIN_URL or "\n", "[secret]")
    return printable(redact(f"{type(error).__name__}: {message.strip()}", [URL]))
