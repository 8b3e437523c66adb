"""Where the database is, and sessions of the runner's own."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from importlib.util import find_spec
from typing import Any
from urllib.parse import unquote_plus

import sqlalchemy
from runner_failures import Refusal
from runner_tls import refuse_weaker_url
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.pool import NullPool

DIRECT = "MIGRATION_DATABASE_URL"
EXAMPLE = "postgresql://USER:PASSWORD@HOST:5432/DATABASE, special characters of the password percent-encoded"


def set_up_sessions(lock_timeout_seconds: float, statement_timeout_seconds: float) -> None:
    """Bounds and names every session of this process: libpq reads this whatever the image's env.py does to connect."""
    bounds = {"lock_timeout": lock_timeout_seconds, "statement_timeout": statement_timeout_seconds}
    settings = [f"-c {name}={round(seconds * 1000)}" for name, seconds in bounds.items()]
    os.environ["PGOPTIONS"] = " ".join([os.environ.get("PGOPTIONS", ""), *settings]).strip()
    # Its own name, by which the runner finds its sessions, in the 63 bytes that PostgreSQL keeps.
    os.environ["PGAPPNAME"] = f"unity-migrate {os.environ.get('HOSTNAME', '')[:40]}:{os.getpid()}"
    os.environ.setdefault("PGCONNECT_TIMEOUT", "5")


def connect(url: URL, **arguments: Any) -> Connection:
    """A session without pool and transactions."""
    engine = sqlalchemy.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=arguments)
    return engine.connect()


def url_variable() -> str:
    """The variable that says where the database is: the one of the direct URL, if that is set."""
    return DIRECT if os.environ.get(DIRECT, "").strip() else "DATABASE_URL"


def database_url() -> URL:
    """The database's URL with a driver that the image has; `DATABASE_URL` says the same afterwards, for env.py.

    :raises Refusal: if it is missing or none of PostgreSQL; its value is never repeated.
    """
    for each in ("DATABASE_URL", DIRECT):
        refuse_weaker_url(each, os.environ.get(each, ""))
    variable = url_variable()
    value = os.environ.get(variable, "").strip()
    if not value:
        raise Refusal(f"DATABASE_URL is not set: the container must get it from the database's Secret, as {EXAMPLE}.")
    # libpq takes the URL's `options` instead of those of the environment, and the sessions would be bounded no more.
    if options := re.search(r"[?&]options=([^&]*)", value):
        os.environ["PGOPTIONS"] = f"{unquote_plus(options[1])} {os.environ['PGOPTIONS']}"
        value = re.sub(r"(?<=[?&])options=[^&]*&?", "", value)
    os.environ["DATABASE_URL"] = value
    return parse_url(variable, value)


def parse_url(variable: str, value: str) -> URL:
    """A URL with a driver that the image has.

    :raises Refusal: if it is none of PostgreSQL, or asks for less encryption than the stack; it is never repeated.
    """
    refuse_weaker_url(variable, value)
    # SQLAlchemy 1 knows no psycopg 3.
    driver = "psycopg" if find_spec("psycopg") and sqlalchemy.__version__ >= "2" else "psycopg2"
    with suppress(Exception):  # which would repeat the value
        url = make_url(re.sub("^postgres:", "postgresql:", value))
        host = url.host or url.query.get("host")
        if url.get_backend_name() == "postgresql" and url.database and host and "@" not in host:
            return url.set(drivername=f"postgresql+{driver}")
    raise Refusal(f"{variable} (not shown) is no URL of a PostgreSQL database: set it to {EXAMPLE}.")
