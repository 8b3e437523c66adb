"""Database URLs and sessions: which URL to use, session timeouts, and encryption."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from importlib.util import find_spec
from typing import Any
from urllib.parse import unquote_plus

import sqlalchemy
from runner_contract import CONTRACT, OWN
from runner_errors import FatalError
from sqlalchemy import text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.pool import NullPool

DIRECT_URL = "MIGRATION_DATABASE_URL"
APPLICATION_URL = "APPLICATION_DATABASE_URL"
URL_FORMAT = "postgresql://USER:PASSWORD@HOST:5432/DATABASE, with special characters in the password percent-encoded"

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""Values of libpq's `sslmode`, weakest first (https://www.postgresql.org/docs/current/libpq-ssl.html)."""
IS_ENCRYPTED = "SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()"

# In another schema, a role that may create objects could add a function or an operator that matches an argument better
# than PostgreSQL's own, and that would run with the rights of this session. Unless it is listed, pg_temp is searched
# first (https://www.postgresql.org/docs/current/sql-createfunction.html#SQL-CREATEFUNCTION-SECURITY).
SAFE_PATH = "-c search_path=pg_catalog,pg_temp"


def configure_sessions(lock_timeout_seconds: float, statement_timeout_seconds: float, deadline: float) -> None:
    """Set the timeouts and the name of all sessions of this process.

    The runner's own sessions get them from libpq, before a pooler could be used; those of env.py from the contract.
    """
    CONTRACT.install(lock_timeout_seconds, statement_timeout_seconds, deadline)
    timeouts = {"lock_timeout": lock_timeout_seconds, "statement_timeout": statement_timeout_seconds}
    settings = [f"-c {name}={round(seconds * 1000)}" for name, seconds in timeouts.items()]
    os.environ["PGOPTIONS"] = " ".join([os.environ.get("PGOPTIONS", ""), *settings]).strip()
    os.environ["PGAPPNAME"] = CONTRACT.settings["application_name"]
    os.environ.setdefault("PGCONNECT_TIMEOUT", "10")


def connect(url: URL, **arguments: Any) -> Connection:
    """Open a session of the runner's own in autocommit mode, outside of any pool, with a safe `search_path`.

    The path is a parameter of the connection, because a pooler would pass the effect of `SET` on to other sessions.
    """
    arguments["options"] = " ".join([url_options(url), os.environ["PGOPTIONS"], SAFE_PATH]).strip()
    engine = sqlalchemy.create_engine(
        url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=arguments, execution_options={OWN: True}
    )
    with CONTRACT.own_session():
        return engine.connect()


def url_options(url: URL) -> str:
    """Return the URL's own `options`, which the argument of a connection would replace."""
    options = url.query.get("options", "")
    return options if isinstance(options, str) else " ".join(options)


def url_variable() -> str:
    """Return the name of the variable that holds the URL for migrations."""
    return DIRECT_URL if os.environ.get(DIRECT_URL, "").strip() else "DATABASE_URL"


def database_url() -> URL:
    """Return the URL for migrations, and set `DATABASE_URL` to it for env.py.

    :raises FatalError: If the URL is missing or invalid. Its value is never repeated.
    """
    for each in ("DATABASE_URL", DIRECT_URL):
        reject_weaker_sslmode(each, os.environ.get(each, ""))
    variable = url_variable()
    value = os.environ.get(variable, "").strip()
    if not value:
        raise FatalError(f"DATABASE_URL is not set. Set it from the database's Secret, as {URL_FORMAT}.")
    # In libpq the URL's `options` replace those of the environment, so the sessions would lose their timeouts.
    if options := re.search(r"[?&]options=([^&]*)", value):
        os.environ["PGOPTIONS"] = f"{unquote_plus(options[1])} {os.environ['PGOPTIONS']}"
        value = re.sub(r"(?<=[?&])options=[^&]*&?", "", value)
    os.environ["DATABASE_URL"] = value
    return parse_url(variable, value)


def parse_url(variable: str, value: str) -> URL:
    """Return the URL with a driver that the image has.

    :raises FatalError: If it is not a PostgreSQL URL, or its `sslmode` is too weak. Its value is never repeated.
    """
    reject_weaker_sslmode(variable, value)
    # SQLAlchemy 1 does not support psycopg 3.
    driver = "psycopg" if find_spec("psycopg") and sqlalchemy.__version__ >= "2" else "psycopg2"
    with suppress(Exception):  # its message would repeat the value
        url = make_url(re.sub("^postgres:", "postgresql:", value))
        host = url.host or url.query.get("host")
        if url.get_backend_name() == "postgresql" and url.database and host and "@" not in host:
            return url.set(drivername=f"postgresql+{driver}")
    raise FatalError(f"{variable} (value hidden) is not a PostgreSQL URL. Set it to {URL_FORMAT}.")


def required_sslmode() -> str:
    """Return the stack's `sslmode`, or libpq's default."""
    mode = os.environ.get("PGSSLMODE", "prefer")
    return mode if mode in SSL_MODES else "prefer"


def is_encryption_required() -> bool:
    """Return whether the stack allows only encrypted sessions."""
    return SSL_MODES.index(required_sslmode()) >= SSL_MODES.index("require")


def reject_weaker_sslmode(variable: str, value: str) -> None:
    """Compare a URL's `sslmode`, which overrides the stack's in libpq, before anything is sent.

    :raises FatalError: If the URL's mode is weaker.
    """
    required = required_sslmode()
    found = re.search(r"[?&]sslmode=([\w-]*)", value)
    if found and found[1] in SSL_MODES and SSL_MODES.index(found[1]) < SSL_MODES.index(required):
        raise FatalError(
            f"{variable} has sslmode={found[1]}, weaker than the stack's {required}. Remove sslmode from the URL, or "
            f"set it to {required}."
        )


def reject_unencrypted(session: Connection) -> None:
    """Check that the session is encrypted if the stack requires it.

    :raises FatalError: If it is not.
    """
    if is_encryption_required() and not session.scalar(text(IS_ENCRYPTED)):
        raise FatalError(f"the database session is not encrypted, but the stack requires sslmode={required_sslmode()}")
