"""Database URLs and sessions: which URL to use, session timeouts, and encryption."""

from __future__ import annotations

import os
import re

from runner_arguments import arguments
from runner_contract import CONTRACT
from runner_dbapi import SUITS
from runner_driver import image_driver, open_session
from runner_errors import FatalError, TransientError
from runner_url import (
    SSL_BOOLEANS,
    SSL_MODES,
    URL_FORMAT,
    DatabaseUrl,
    InvalidUrl,
    parse_url,
    query_of,
    separate_hosts,
)
from sqlalchemy import text
from sqlalchemy.engine import Connection

DIRECT_URL = "MIGRATION_DATABASE_URL"
APPLICATION_URL = "APPLICATION_DATABASE_URL"

IS_ENCRYPTED = "SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()"
OTHER_SERVER = ("PGHOSTADDR", "PGSERVICE")
"""Variables with which libpq connects to another address than that of the URL's host."""
READ_ONLY_ATTRIBUTES = ("read-only", "standby", "prefer-standby")

# In another schema, a role that may create objects could add a function or an operator that matches an argument better
# than PostgreSQL's own, and that would run with the rights of this session. Unless it is listed, pg_temp is searched
# first (https://www.postgresql.org/docs/current/sql-createfunction.html#SQL-CREATEFUNCTION-SECURITY).
SAFE_PATH = "-c search_path=pg_catalog,pg_temp"


def configure_sessions(lock_timeout_seconds: float, statement_timeout_seconds: float, deadline: float) -> None:
    """Set the timeouts and the name of all sessions of this process.

    The runner's own sessions get them at their start, as libpq does; those of env.py from the contract. An empty
    variable of libpq counts as unset, as it does for some of them in libpq, while others are errors.
    """
    for name in [name for name, value in os.environ.items() if name.startswith("PG") and not value.strip()]:
        del os.environ[name]
    CONTRACT.install(lock_timeout_seconds, statement_timeout_seconds, deadline)
    timeouts = {"lock_timeout": lock_timeout_seconds, "statement_timeout": statement_timeout_seconds}
    settings = [f"-c {name}={round(seconds * 1000)}" for name, seconds in timeouts.items()]
    os.environ["PGOPTIONS"] = " ".join([os.environ.get("PGOPTIONS", ""), *settings]).strip()
    os.environ["PGAPPNAME"] = CONTRACT.settings["application_name"]
    os.environ.setdefault("PGCONNECT_TIMEOUT", "10")


def connect(url: DatabaseUrl, timeout_seconds: int | None = None) -> Connection:
    """Open a session of the runner's own in autocommit mode, outside of any pool, with a safe `search_path`.

    The path is a parameter of the connection, because a pooler would pass the effect of `SET` on to other sessions.

    :param timeout_seconds: Limit for connecting, by default the URL's.
    """
    return open_session(url, f"{os.environ['PGOPTIONS']} {SAFE_PATH}", os.environ["PGAPPNAME"], timeout_seconds)


def url_variable() -> str:
    """Return the name of the variable that holds the URL for migrations."""
    return DIRECT_URL if os.environ.get(DIRECT_URL, "").strip() else "DATABASE_URL"


def database_url() -> DatabaseUrl:
    """Return the URL for migrations, and set `DATABASE_URL` to it for env.py.

    env.py gets the URL as it is. Two exceptions: several hosts, which SQLAlchemy reads only as parameters; and a direct
    URL without a driver, which gets that of the application's URL.

    :raises FatalError: If the URL is missing or invalid. Its value is never repeated.
    """
    application = os.environ.get("DATABASE_URL", "").strip()
    reject_weaker_sslmode("DATABASE_URL", application)
    variable = url_variable()
    value = os.environ.get(variable, "").strip()
    if not value:
        raise FatalError(f"DATABASE_URL is not set. Set it from the database's Secret, as {URL_FORMAT}.")
    url = read_url(variable, value)
    driver = re.match(r"postgres(?:ql)?\+\w+(?=://)", application)
    if driver:
        value = re.sub(r"^postgres(ql)?(?=://)", driver[0], value)
    os.environ["DATABASE_URL"] = separate_hosts(value)
    return url


def read_url(variable: str, value: str) -> DatabaseUrl:
    """Return the URL of a variable, if the stack's `sslmode`, libpq's variables, and the image's driver allow it.

    :raises FatalError: If it can't be used. Its value is never repeated.
    """
    reject_weaker_sslmode(variable, value)
    try:
        url = parse_url(variable, value)
        arguments(url, image_driver(), "", "")
    except InvalidUrl as error:
        raise FatalError(str(error)) from None
    reject_other_server(url)
    return url


def reject_other_server(url: DatabaseUrl) -> None:
    """Check that no variable leads libpq, and the application with it, to another server than the URL.

    :raises FatalError: If one does.
    """
    for name in OTHER_SERVER:
        if name in os.environ:
            raise FatalError(
                f"{name} is set, which leads libpq to another server than {url.variable}. Remove it from the "
                "container's environment, envFrom, and the image."
            )
    if os.environ.get("PGPORT", "5432") != "5432" and any(port is None for _, port in url.hosts):
        raise FatalError(f"{url.variable} has no port, so that PGPORT decides on the server. Add the port to the URL.")


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
    for name, value_of in query_of(value):
        mode = SSL_BOOLEANS.get(value_of, value_of)
        if name in ("ssl", "sslmode") and mode in SSL_MODES and SSL_MODES.index(mode) < SSL_MODES.index(required):
            raise FatalError(
                f"{variable} has {name}={value_of}, weaker than the stack's {required}. Remove {name} from the URL, or "
                f"set it to {required}."
            )


def reject_unencrypted(session: Connection) -> None:
    """Check that the session is encrypted if the stack requires it.

    :raises FatalError: If it is not.
    """
    if is_encryption_required() and not session.scalar(text(IS_ENCRYPTED)):
        raise FatalError(f"the database session is not encrypted, but the stack requires sslmode={required_sslmode()}")


def reject_read_only_url(url: DatabaseUrl) -> None:
    """Check that the URL does not ask for a server that can't be changed.

    :raises FatalError: If it does.
    """
    attributes = url.parameters.get("target_session_attrs")
    if attributes in READ_ONLY_ATTRIBUTES:
        raise FatalError(
            f"{url.variable} has target_session_attrs={attributes}, but a migration changes the database. Set it to "
            f"read-write, or set {DIRECT_URL} to the primary's URL."
        )


def reject_read_only(session: Connection) -> None:
    """Check that the server can be changed, before anything else is tried.

    :raises TransientError: If it can't, which a failover may end.
    """
    if session.scalar(text(SUITS["read-write"])):
        return
    if session.scalar(text(SUITS["standby"])):
        raise TransientError(
            "the server is a standby, which is read-only (SQLSTATE 25006). A failover may promote it. Otherwise, set "
            f"{url_variable()} to the primary, or to all hosts with target_session_attrs=read-write."
        )
    raise TransientError(
        "default_transaction_read_only is on for this server, database, or role, so nothing can be changed (SQLSTATE "
        "25006). Turn it off, at least for the role that migrates."
    )
