"""The application's role, which reads and writes rows but has no DDL privileges: its creation and its login."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import unicodedata
from dataclasses import dataclass
from stringprep import in_table_a1, in_table_b1, in_table_c12

from runner_errors import FatalError, sqlstate
from runner_lock import is_same_database
from runner_output import report
from runner_rights import excess_rights
from runner_session import APPLICATION_URL, connect, read_url, reject_unencrypted
from runner_url import DatabaseUrl
from sqlalchemy import text
from sqlalchemy.engine import Connection
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
    url: DatabaseUrl
    # Whether to create it if it does not exist.
    create: bool


def application_role(name: str, create: bool) -> ApplicationRole:
    """Return the role with the URL of the environment.

    :raises FatalError: If APPLICATION_DATABASE_URL is missing, or is the URL of another role.
    """
    url = read_url(APPLICATION_URL, os.environ.get(APPLICATION_URL, "").strip())
    if url.user != name:
        raise FatalError(
            f"{APPLICATION_URL} (value hidden) is not the URL of role {name}. Set applicationRole to the role in "
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
            "set applicationRole to another role."
        )
    elif not found["can_log_in"]:
        raise FatalError(f"role {role.name} can't log in. Run: ALTER ROLE {quote(role.name)} LOGIN;")
    verify_login(session, role)


def excess_of(session: Connection, role: str) -> list[str]:
    """Return the rights of a role with which it could change more than rows."""
    return [str(right) for (right,) in session.execute(text(EXCESS), {"role": role})]


def create_role(session: Connection, role: ApplicationRole) -> None:
    """Create the role, with an error of the driver, because SQLAlchemy's would contain the statement."""
    iterations = session.scalar(text("SELECT current_setting('scram_iterations', true)"))
    verifier = scram_verifier(role.url.password or "", int(iterations or 4096))
    try:
        session.execute(text(f"CREATE ROLE {quote(role.name)} LOGIN PASSWORD '{verifier}'".replace(":", "\\:")))
    except DBAPIError as error:
        assert error.orig is not None
        raise error.orig from None


def scram_verifier(password: str, iterations: int) -> str:
    """Return the verifier that the server stores, as libpq computes it: the password never leaves this process.

    See `scram_build_secret` in src/common/scram-common.c of PostgreSQL, and RFC 5803.
    """
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", prepared(password).encode(), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = (base64.b64encode(value).decode() for value in (salt, stored, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(iterations, *encoded)


def prepared(password: str) -> str:
    """Return the password in the form that drivers hash (SASLprep, RFC 4013), or as it is if it has none."""
    mapped = "".join(" " if in_table_c12(char) else char for char in password if not in_table_b1(char))
    normal = unicodedata.normalize("NFKC", mapped)
    return password if any(is_prohibited(char) for char in normal) else normal


def is_prohibited(char: str) -> bool:
    """Return whether SASLprep has no form for a password with this character."""
    return in_table_a1(char) or in_table_c12(char) or unicodedata.category(char) in {"Cc", "Cs", "Co", "Cn"}


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
    except Exception as error:  # asyncpg's are not SQLAlchemy's
        if "authentication failed" not in str(error) and sqlstate(error) != "28P01":
            raise
        raise FatalError(
            f"the password of role {role.name} differs from the backend's new URL (value hidden). To rotate it without "
            "downtime, set applicationRole to a new role together with the new password."
        ) from None


def literal(value: str) -> str:
    """Return a value as SQL that no driver and no setting of the session reads differently."""
    escaped = (each if each.isascii() and each.isalnum() else f"\\U{ord(each):08x}" for each in value)
    return f"E'{''.join(escaped)}'"


def quote(identifier: object) -> str:
    """Return a quoted SQL identifier."""
    return '"' + str(identifier).replace('"', '""') + '"'
