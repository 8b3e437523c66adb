"""The application's own role: it reads and writes rows, and changes no schema. Here it is made and tried."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from runner_failures import APPLICATION, Refusal, sqlstate
from runner_session import connect, parse_url
from runner_tls import refuse_plain_session
from runner_words import quote, say
from sqlalchemy import text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DBAPIError

# Who is a member of a role can do all that it can, whatever rights it is given itself, by SET ROLE if not at once.
LOOK = """
    SELECT a.rolcanlogin AS logs_in,
        EXISTS (SELECT FROM pg_roles r WHERE (r.rolsuper OR r.rolcreaterole) AND pg_has_role(a.oid, r.oid, 'MEMBER'))
            AS mighty,
        pg_has_role(a.oid, current_user, 'MEMBER') OR EXISTS (
            SELECT FROM pg_namespace n WHERE n.nspname = current_schema() AND pg_has_role(a.oid, n.nspowner, 'MEMBER'))
            AS member
    FROM pg_roles a WHERE a.rolname = :role"""


@dataclass(frozen=True)
class ApplicationRole:
    """The role, and its URL."""

    name: str
    url: URL
    # Whether it is made if it is missing.
    create: bool


def application_role(name: str, create: bool) -> ApplicationRole:
    """The role that the release names.

    :raises Refusal: if APPLICATION_DATABASE_URL is missing, or another role's.
    """
    url = parse_url(APPLICATION, os.environ.get(APPLICATION, "").strip())
    if url.username != name:
        mend = "set unity:applicationRole to the name in that URL, or correct the URL"
        raise Refusal(f"{APPLICATION} (not shown) is not a URL of role {name}, which the release names: {mend}.")
    return ApplicationRole(name, url, create)


def ensure_role(session: Connection, role: ApplicationRole) -> None:
    """Sees to it that the role is there and can log in; the stack's own database is given it.

    :raises Refusal: if a person has to make or change the role.
    """
    found = session.execute(text(LOOK), {"role": role.name}).mappings().first()
    if found is None:
        if not role.create:
            raise Refusal(
                f"the database has no role {role.name}. Make it, with the password of the backend's URL: "
                f"CREATE ROLE {quote(role.name)} LOGIN PASSWORD '<password>';"
            )
        create_role(session, role)
        say(f"Role {role.name} is made")
    elif found["member"] or found["mighty"]:
        why = (
            "it is a superuser or makes roles, or a member of one that does"
            if found["mighty"]
            else "it is the one that migrates or owns the schema, or a member of it"
        )
        raise Refusal(f"role {role.name} can change the schema: {why}. Name another role in unity:applicationRole.")
    elif not found["logs_in"]:
        raise Refusal(f"role {role.name} may not log in. Let it: ALTER ROLE {quote(role.name)} LOGIN;")
    log_in(role)


def create_role(session: Connection, role: ApplicationRole) -> None:
    """Makes the role. The driver runs the statement: an error of SQLAlchemy's would hold it."""
    verifier = scram_verifier(session, role.name, role.url.password or "")
    session.connection.cursor().execute(f"CREATE ROLE {quote(role.name)} LOGIN PASSWORD '{verifier}'")


def scram_verifier(session: Connection, name: str, password: str) -> str:
    """What the server keeps of a password, made by libpq: the password itself does not leave this process."""
    driver: Any = session.connection.driver_connection
    if hasattr(driver, "pgconn"):
        made: bytes = driver.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
        return made.decode()
    from psycopg2.extensions import encrypt_password

    return str(encrypt_password(password, name, driver, "scram-sha-256"))


def log_in(role: ApplicationRole) -> None:
    """Logs in as the backend will.

    :raises Refusal: if the role has another password: the new pods would be refused as well.
    """
    try:
        with connect(role.url) as session:
            refuse_plain_session(session)
    except DBAPIError as error:
        if "authentication failed" not in str(error.orig) and sqlstate(error) != "28P01":
            raise
        raise Refusal(
            f"role {role.name} has another password than the backend's new URL (not shown). To rotate it without a "
            "gap, name a new role in unity:applicationRole beside the new password."
        ) from None
