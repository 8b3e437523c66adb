"""Connect to the database of the pod's DATABASE_URL, for programs that are sent into a pod.

Works in any image with Python 3.7 and psycopg, psycopg2, pg8000, or asyncpg. Never prints the URL.
"""

import asyncio
import os
import re
from itertools import count

from runner_arguments import arguments, libpq_arguments
from runner_dbapi import DRIVERS, first_suitable
from runner_text import printable, redact
from runner_url import parse_url
from transaction import SETUP

URL = os.environ.get("DATABASE_URL", "")


def connect():
    """Return a connection of the driver in its first transaction, which calls only PostgreSQL's own functions.

    Only the transaction has a search_path of its own, because a pooler would pass a session's on to the backend.
    `migration.schemas` keeps the path from before, which is the backend's. Raises ValueError if the URL is missing
    or invalid.
    """
    connection = open_connection()
    for statement in SETUP:
        connection.cursor().execute(statement)
    return connection


def open_connection():
    """Return a connection of the image's driver, or raise ValueError if the URL or the driver is missing or invalid."""
    if not URL:
        raise ValueError("DATABASE_URL is not set in the pod")
    url = parse_url("DATABASE_URL", URL)
    for name in DRIVERS:
        try:
            driver = __import__("pg8000.dbapi" if name == "pg8000" else name)
        except ImportError:
            continue
        if name == "asyncpg":
            return AsyncpgConnection(driver.connect(statement_cache_size=0, **arguments(url, name, "", "")[0]))
        if name != "pg8000":
            return driver.connect(**dict({"connect_timeout": 30}, **libpq_arguments(url)))
        return open_pg8000(url)
    raise ValueError("the image has no driver for PostgreSQL; install one of " + ", ".join(DRIVERS))


def open_pg8000(url):
    """Return a connection of pg8000, which takes only one host."""
    from pg8000 import dbapi

    def connect_to(host):
        connection = dbapi.connect(**host)
        connection._usock.settimeout(None)  # the limit for connecting would be one for each statement, too
        return connection

    def is_unreachable(error):
        return isinstance(error, dbapi.InterfaceError)

    attributes = url.parameters.get("target_session_attrs", "any")
    return first_suitable(arguments(url, "pg8000", "", ""), attributes, connect_to, first_column, is_unreachable)


def first_column(connection, sql):
    """Return the first column of the first row, in a transaction of its own."""
    cursor = connection.cursor()
    cursor.execute(sql)
    value = cursor.fetchone()[0]
    connection.rollback()
    return value


class AsyncpgConnection:
    """A connection of asyncpg, and its only cursor, with those parts of DB-API that these programs use."""

    def __init__(self, connecting):
        self._loop = asyncio.new_event_loop()
        self._connection = self._loop.run_until_complete(connecting)
        self._rows = []

    def cursor(self):
        return self

    def _fetch(self, statement, *values):
        return self._loop.run_until_complete(self._connection.fetch(statement, *values))

    def execute(self, statement, values=()):
        if not self._connection.is_in_transaction():
            self._fetch("BEGIN")
        if values:
            numbers = count(1)
            statement = re.sub("%s", lambda _: "$" + str(next(numbers)), statement)
        self._rows = [tuple(row) for row in self._fetch(statement, *values)]

    def fetchone(self):
        return self._rows.pop(0) if self._rows else None

    def fetchall(self):
        return self._rows

    def commit(self):
        self._fetch("COMMIT")

    def rollback(self):
        self._fetch("ROLLBACK")


def describe(error):
    """Return an error without the URL and its password, and without characters that a terminal would run."""
    message = str(error).replace(URL or "\n", "[secret]")
    return printable(redact(f"{type(error).__name__}: {message.strip()}", [URL]))
