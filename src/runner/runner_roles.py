"""The application's role, which reads and writes rows but has no DDL privileges: its creation and its login."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from runner_errors import FatalError, sqlstate
from runner_lock import is_same_database
from runner_output import report
from runner_rights import excess_rights
from runner_session import APPLICATION_URL, connect, parse_url, reject_unencrypted
from sqlalchemy import text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DBAPIError

ATTRIBUTES = """
    SELECT rolcanlogin AS can_log_in, NOT rolsuper AND pg_has_role(oid, current_user, 'MEMBER') AS migrates
    FROM pg_catalog.pg_roles WHERE rolname = :role"""
LOCATION = """
    SELECT current_database() || coalesce(' at ' || host(inet_server_addr()) || ':' || inet_server_port(), '')"""
LISTED = 5  # of the rights in an error: a role may own hundreds of tables
EXCESS = f"SELECT excess FROM ({excess_rights(':role')}) AS rights (excess)"


@dataclass(frozen=True)
class ApplicationRole:
    """The application's role."""

    name: str
    url: URL
    # Whether to create it if it does not exist.
    create: bool


def application_role(name: str, create: bool) -> ApplicationRole:
    """Return the role with the URL of the environment.

    :raises FatalError: If APPLICATION_DATABASE_URL is missing, or is the URL of another role.
    """
    url = parse_url(APPLICATION_URL, os.environ.get(APPLICATION_URL, "").strip())
    if url.username != name:
        raise FatalError(
            f"{APPLICATION_URL} (value hidden) is not the URL of role {name}. Set unity:applicationRole to the role in "
            "the URL, or correct the URL."
        )
    return ApplicationRole(name, url, create)


def ensure_role(session: Connection, role: ApplicationRole) -> None:
    """Create the role if allowed, and check its attributes and its login.

    :raises FatalError: If the role must be created or changed manually.
    """
    found = session.execute(text(ATTRIBUTES), {"role": role.name}).mappings().first()
    if found is None:
        if not role.create:
            raise FatalError(
                f"role {role.name} does not exist. Create it with the password of the backend's URL: "
                f"CREATE ROLE {quote(role.name)} LOGIN PASSWORD '<password>';"
            )
        create_role(session, role)
        report(f"Created role {role.name}")
    elif excess := ["membership in the role that migrates"] * found["migrates"] + excess_of(session, role.name):
        more = f", and {len(excess) - LISTED} more" if len(excess) > LISTED else ""
        raise FatalError(
            f"role {role.name} has more than row access: {', '.join(excess[:LISTED])}{more}. Revoke these rights, or "
            "set unity:applicationRole to another role."
        )
    elif not found["can_log_in"]:
        raise FatalError(f"role {role.name} can't log in. Run: ALTER ROLE {quote(role.name)} LOGIN;")
    verify_login(session, role)


def excess_of(session: Connection, role: str) -> list[str]:
    """Return the rights of a role with which it could change more than rows."""
    return [str(right) for (right,) in session.execute(text(EXCESS), {"role": role})]


def create_role(session: Connection, role: ApplicationRole) -> None:
    """Create the role through the driver, because SQLAlchemy's errors would contain the statement."""
    verifier = scram_verifier(session, role.name, role.url.password or "")
    session.connection.cursor().execute(f"CREATE ROLE {quote(role.name)} LOGIN PASSWORD '{verifier}'")


def scram_verifier(session: Connection, name: str, password: str) -> str:
    """Return the verifier that the server stores, computed by libpq: the password never leaves this process."""
    driver: Any = session.connection.driver_connection
    if hasattr(driver, "pgconn"):
        verifier: bytes = driver.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
        return verifier.decode()
    from psycopg2.extensions import encrypt_password

    return str(encrypt_password(password, name, driver, "scram-sha-256"))


def verify_login(session: Connection, role: ApplicationRole) -> None:
    """Log in as the backend will, and check that this leads to the database that is migrated.

    :param session: The session that holds the lock.
    :raises FatalError: If the role's password is another one, which would fail the new pods, or its database is.
    """
    try:
        with connect(role.url) as login:
            reject_unencrypted(login)
            if not is_same_database(session, login):
                raise FatalError(
                    f"{APPLICATION_URL} (value hidden) leads to database {login.scalar(text(LOCATION))}, but the "
                    f"migration runs on {session.scalar(text(LOCATION))}. Set the application's URL to that database."
                )
    except DBAPIError as error:
        if "authentication failed" not in str(error.orig) and sqlstate(error) != "28P01":
            raise
        raise FatalError(
            f"the password of role {role.name} differs from the backend's new URL (value hidden). To rotate it without "
            "downtime, set unity:applicationRole to a new role together with the new password."
        ) from None


def quote(identifier: object) -> str:
    """Return a quoted SQL identifier."""
    return '"' + str(identifier).replace('"', '""') + '"'
