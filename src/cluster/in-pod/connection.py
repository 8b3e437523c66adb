"""Connects to the database of a pod's DATABASE_URL, for programs that are sent into a pod.

For any image: Python 3.7, psycopg, psycopg2 or whatever driver SQLAlchemy has. Nothing here prints the URL.
"""

import os
import re
from urllib.parse import unquote

URL = os.environ.get("DATABASE_URL", "")
PLAIN = re.sub(r"^postgres(ql)?([+]\w+)?:", "postgresql:", URL)


def connect():
    """A connection of the driver's own kind. Raises ValueError if there is no URL to connect to."""
    if not URL:
        raise ValueError("DATABASE_URL is not set in the pod")
    # Of a value that is no URL, an error would repeat parts, and of a password that isn't percent-encoded.
    if not re.match(r"postgresql://([^/?#@\s]*@)?[^/?#@\s]*(/[^?#@]*)?([?].*)?$", PLAIN):
        raise ValueError("DATABASE_URL (not shown) is no URL of a PostgreSQL database")
    for driver in ("psycopg", "psycopg2"):
        try:
            return __import__(driver).connect(PLAIN, connect_timeout=2)
        except ImportError:
            pass
    import sqlalchemy

    return sqlalchemy.create_engine(URL).raw_connection()


def describe(error):
    """An error as one line, without the URL or its password."""
    message = str(error).replace(URL or "\n", "[secret]").replace(PLAIN or "\n", "[secret]")
    for found in re.findall(r"://[^:/]*:([^@]+)@|[?&]password=([^&]+)", URL):
        for secret in filter(None, found):
            message = message.replace(secret, "[secret]").replace(unquote(secret), "[secret]")
    return f"{type(error).__name__}: {message.strip()}"
