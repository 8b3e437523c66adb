"""The application's role, which reads and writes rows but has no DDL privileges: its creation and its login."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from runner_errors import FatalError, sqlstate
from runner_output import report
from runner_session import APPLICATION_URL, connect, parse_url, reject_unencrypted
from sqlalchemy import text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DBAPIError

# A member of a role has all privileges of that role, at the latest after SET ROLE.
ATTRIBUTES = """
    SELECT a.rolcanlogin AS can_log_in,
        EXISTS (SELECT FROM pg_roles r WHERE (r.rolsuper OR r.rolcreaterole) AND pg_has_role(a.oid, r.oid, 'MEMBER'))
            AS manages_roles,
        pg_has_role(a.oid, current_user, 'MEMBER') OR EXISTS (
            SELECT FROM pg_namespace n WHERE n.nspname = current_schema() AND pg_has_role(a.oid, n.nspowner, 'MEMBER'))
            AS owns_schema
    FROM pg_roles a WHERE a.rolname = :role"""


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
    elif found["owns_schema"] or found["manages_roles"]:
        reason = (
            "it is a superuser or has CREATEROLE, or is a member of such a role"
            if found["manages_roles"]
            else "it migrates or owns the schema, or is a member of the role that does"
        )
        raise FatalError(
            f"role {role.name} can change the schema: {reason}. Set unity:applicationRole to another role."
        )
    elif not found["can_log_in"]:
        raise FatalError(f"role {role.name} can't log in. Run: ALTER ROLE {quote(role.name)} LOGIN;")
    verify_login(role)


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


def verify_login(role: ApplicationRole) -> None:
    """Log in as the backend will.

    :raises FatalError: If the role's password is another one, which would fail the new pods.
    """
    try:
        with connect(role.url) as session:
            reject_unencrypted(session)
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
