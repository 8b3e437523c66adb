"""The privileges of the application's role: the rows of all tables, the use of all sequences, and no DDL.

They are granted before the first revision, so that new objects have them from the start, and again after the last one.
Only a missing or excess privilege leads to a statement.
"""

from __future__ import annotations

from runner_database import VersionTable
from runner_errors import FatalError
from runner_output import report
from runner_record import SCHEMA as RECORD_SCHEMA
from runner_roles import quote
from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping

# The tables and sequences of the chain's schema, except those of extensions, Alembic's table, and the run record, which
# `pulumi-alembic history` reads through the backend's pod. `own` is whether this session can grant the privileges.
RELATIONS = f"""
    SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name,
        CASE WHEN n.nspname = '{RECORD_SCHEMA}' THEN 'read'
            WHEN (n.nspname, c.relname) = (:version_schema, :version_table) THEN 'read'
            WHEN c.relkind = 'S' THEN 'count' ELSE 'write' END AS use,
        pg_has_role(c.relowner, 'USAGE') AS own
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE (n.nspname = :schema OR (n.nspname, c.relname) = (:version_schema, :version_table)
        OR (n.nspname = '{RECORD_SCHEMA}' AND c.relkind = 'r'))
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"""

# The privileges that each use must have (true) or must not have (false).
RIGHTS = """
    VALUES ('write', 'SELECT', true), ('write', 'INSERT', true), ('write', 'UPDATE', true), ('write', 'DELETE', true),
        ('write', 'TRUNCATE', false), ('write', 'REFERENCES', false), ('write', 'TRIGGER', false),
        ('read', 'SELECT', true), ('read', 'INSERT', false), ('read', 'UPDATE', false), ('read', 'DELETE', false),
        ('read', 'TRUNCATE', false), ('read', 'REFERENCES', false), ('read', 'TRIGGER', false),
        ('count', 'USAGE', true), ('count', 'SELECT', true)"""

DIFFERENCES = f"""
    SELECT r.name, r.use, r.own, g.wanted, string_agg(g.privilege, ', ' ORDER BY g.privilege) AS privileges
    FROM ({RELATIONS}) r JOIN ({RIGHTS}) g (use, privilege, wanted) ON g.use = r.use
    WHERE g.wanted <> CASE WHEN r.use = 'count' THEN has_sequence_privilege(CAST(:role AS name), r.oid, g.privilege)
        ELSE has_table_privilege(CAST(:role AS name), r.oid, g.privilege) END
    GROUP BY r.name, r.use, r.own, g.wanted ORDER BY r.name, g.wanted"""

# Whether the role can use the schema and create tables in it, and whether this session can change that: for the schemas
# of the chain, of Alembic's table, and of the run record, and for all others where the role can create tables.
SCHEMAS = f"""
    SELECT nspname AS name, nspname IN (:schema, :version_schema, '{RECORD_SCHEMA}') AS ours,
        has_schema_privilege(CAST(:role AS name), oid, 'USAGE') AS usable,
        has_schema_privilege(CAST(:role AS name), oid, 'CREATE') AS creatable, pg_has_role(nspowner, 'USAGE') AS own
    FROM pg_catalog.pg_namespace WHERE nspname IN (:schema, :version_schema, '{RECORD_SCHEMA}')
    OR (has_schema_privilege(CAST(:role AS name), oid, 'CREATE')
        AND nspname <> 'information_schema' AND left(nspname, 3) <> 'pg_') ORDER BY 1"""

DATABASE = """
    SELECT datname AS name, has_database_privilege(CAST(:role AS name), oid, 'CREATE') AS creatable,
        pg_has_role(datdba, 'USAGE') AS own
    FROM pg_catalog.pg_database WHERE datname = current_database()"""

# The role's default privileges on tables and sequences that this session creates.
DEFAULTS = """
    SELECT CAST(d.defaclobjtype AS text), count(*) FROM pg_catalog.pg_default_acl d, aclexplode(d.defaclacl) a
    WHERE d.defaclrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)
    AND d.defaclnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = :schema)
    AND a.grantee = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = :role)
    AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE') GROUP BY 1"""


def grant(session: Connection, role: str, schema: str | None, version_table: VersionTable) -> None:
    """Grant missing privileges and revoke excess ones in one transaction.

    :param schema: The chain's schema.

    :raises FatalError: If the role can create objects or can't use the schema, and this session can't change that; or
        if the role inherits excess privileges from another role.
    """
    if schema is None:
        raise FatalError(
            "the search_path of the role that migrates contains no existing schema. Create the schema, or run: "
            f"ALTER ROLE {quote(session.scalar(text('SELECT current_user')))} SET search_path = <schema>;"
        )
    version_schema = version_table.schema or schema
    names = {"role": role, "schema": schema, "version_schema": version_schema, "version_table": version_table.name}
    statements = privilege_statements(session, names)
    if statements:
        session.execute(text("BEGIN"))
        try:
            for statement in statements:
                session.execute(text(statement.replace(":", "\\:")))
            session.execute(text("COMMIT"))
        except BaseException:
            session.execute(text("ROLLBACK"))
            raise
        report(f"Updated privileges of role {role}: row access, no DDL ({len(statements)} statements)")
    verify_schema_privileges(session, names)
    remaining = differences(session, names)
    if foreign := sorted({row["name"] for row in remaining if not row["own"]}):
        report(f"Privileges on {', '.join(foreign)} are unchanged: another role owns them")
    if excess := [f"{row['privileges']} ON {row['name']}" for row in remaining if row["own"] and not row["wanted"]]:
        raise FatalError(
            f"role {role} inherits excess privileges from another role: {'; '.join(excess)}. Revoke the membership or "
            "the privileges."
        )


def differences(session: Connection, names: dict[str, str]) -> list[RowMapping]:
    """Return missing and excess privileges, a row each per relation."""
    return list(session.execute(text(DIFFERENCES), names).mappings())


def schemas(session: Connection, names: dict[str, str]) -> list[RowMapping]:
    """Return the role's privileges on the chain's schema, the run record's, and those where it can create tables."""
    return list(session.execute(text(SCHEMAS), names).mappings())


def privilege_statements(session: Connection, names: dict[str, str]) -> list[str]:
    """Return the statements that grant missing privileges and revoke excess ones."""
    to, statements = quote(names["role"]), []
    for schema in schemas(session, names):
        name, changeable = quote(schema["name"]), schema["ours"] and schema["own"]
        if changeable and not schema["usable"]:
            statements.append(f"GRANT USAGE ON SCHEMA {name} TO {to}")
        if changeable and schema["creatable"]:
            statements.append(f"REVOKE CREATE ON SCHEMA {name} FROM PUBLIC, {to}")
    for database in session.execute(text(DATABASE), names).mappings():
        if database["own"] and database["creatable"]:
            statements.append(f"REVOKE CREATE ON DATABASE {quote(database['name'])} FROM PUBLIC, {to}")
    for row in differences(session, names):
        if row["own"]:
            verb, preposition = ("GRANT", "TO") if row["wanted"] else ("REVOKE", "FROM PUBLIC,")
            kind = "SEQUENCE " if row["use"] == "count" else ""
            statements.append(f"{verb} {row['privileges']} ON {kind}{row['name']} {preposition} {to}")
    return statements + default_privilege_statements(session, names)


def default_privilege_statements(session: Connection, names: dict[str, str]) -> list[str]:
    """Return the statements that grant missing privileges on future tables and sequences."""
    granted = {kind: count for kind, count in session.execute(text(DEFAULTS), names)}
    default, to = f"ALTER DEFAULT PRIVILEGES IN SCHEMA {quote(names['schema'])}", quote(names["role"])
    statements = []
    if granted.get("r") != 4:
        statements.append(f"{default} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {to}")
    if granted.get("S") != 2:
        statements.append(f"{default} GRANT USAGE, SELECT ON SEQUENCES TO {to}")
    return statements


def verify_schema_privileges(session: Connection, names: dict[str, str]) -> None:
    """Check that the role can use the chain's schema but can't create objects in any.

    :raises FatalError: With the statements for a more privileged role.
    """
    to, statements = quote(names["role"]), []
    for schema in schemas(session, names):
        name = quote(schema["name"])
        if not schema["usable"] and schema["name"] in (names["schema"], names["version_schema"]):
            statements.append(f"GRANT USAGE ON SCHEMA {name} TO {to};")
        if schema["creatable"]:
            statements.append(f"REVOKE CREATE ON SCHEMA {name} FROM PUBLIC, {to};")
        if schema["creatable"] and schema["ours"]:
            own = quote(session.scalar(text("SELECT current_user")))
            statements.append(f"GRANT CREATE ON SCHEMA {name} TO {own};")
    for database in session.execute(text(DATABASE), names).mappings():
        if database["creatable"]:
            statements.append(f"REVOKE CREATE ON DATABASE {quote(database['name'])} FROM PUBLIC, {to};")
    if statements:
        raise FatalError(
            f"role {names['role']} must have row access without DDL, and the role that migrates can't change its "
            f"privileges. Run as the schema's owner: {' '.join(statements)}"
        )
