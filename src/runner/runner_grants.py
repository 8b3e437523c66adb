"""The rights of the application's role: rows of every table, the numbers of every sequence, and nothing of the schema.

They are given before the first revision, so that what one makes has them as soon as it is there, and again after the
last one. Only what is missing, or too much, is a statement: on a database that is as it should be there is none.
"""

from __future__ import annotations

from runner_failures import Refusal
from runner_record import SCHEMA as RECORD_SCHEMA
from runner_words import quote, say
from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping

# What the chain uses: the tables and sequences of the schema in which it makes them, but for those of extensions; and
# the run record, which `unity history` reads by way of the backend's pod. What this session may not give is left out.
RELATIONS = f"""
    SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name,
        CASE WHEN c.relname = 'alembic_version' OR n.nspname = '{RECORD_SCHEMA}' THEN 'read'
            WHEN c.relkind = 'S' THEN 'count' ELSE 'write' END AS use,
        pg_has_role(c.relowner, 'USAGE') AS own
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE (n.nspname = current_schema() OR (n.nspname = '{RECORD_SCHEMA}' AND c.relkind = 'r'))
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"""

# What each use needs, and what it must not have.
RIGHTS = """
    VALUES ('write', 'SELECT', true), ('write', 'INSERT', true), ('write', 'UPDATE', true), ('write', 'DELETE', true),
        ('write', 'TRUNCATE', false), ('write', 'REFERENCES', false), ('write', 'TRIGGER', false),
        ('read', 'SELECT', true), ('read', 'INSERT', false), ('read', 'UPDATE', false), ('read', 'DELETE', false),
        ('read', 'TRUNCATE', false), ('read', 'REFERENCES', false), ('read', 'TRIGGER', false),
        ('count', 'USAGE', true), ('count', 'SELECT', true)"""

WRONG = f"""
    SELECT r.name, r.use, r.own, g.wanted, string_agg(g.privilege, ', ' ORDER BY g.privilege) AS privileges
    FROM ({RELATIONS}) r JOIN ({RIGHTS}) g (use, privilege, wanted) ON g.use = r.use
    WHERE g.wanted <> CASE WHEN r.use = 'count' THEN has_sequence_privilege(CAST(:role AS name), r.oid, g.privilege)
        ELSE has_table_privilege(CAST(:role AS name), r.oid, g.privilege) END
    GROUP BY r.name, r.use, r.own, g.wanted ORDER BY r.name, g.wanted"""

# A schema by its name: whether the role may use it, and make tables there; whether this session can change that.
SCHEMAS = f"""
    SELECT nspname AS name, has_schema_privilege(CAST(:role AS name), oid, 'USAGE') AS used,
        has_schema_privilege(CAST(:role AS name), oid, 'CREATE') AS filled, pg_has_role(nspowner, 'USAGE') AS own
    FROM pg_namespace WHERE nspname = current_schema() OR nspname = '{RECORD_SCHEMA}'"""

DATABASE = """
    SELECT datname AS name, has_database_privilege(CAST(:role AS name), oid, 'CREATE') AS filled,
        pg_has_role(datdba, 'USAGE') AS own
    FROM pg_database WHERE datname = current_database()"""

# What tables and sequences that this session makes from now on give to the role.
DEFAULTS = """
    SELECT CAST(d.defaclobjtype AS text), count(*) FROM pg_default_acl d, aclexplode(d.defaclacl) a
    WHERE d.defaclrole = current_user::regrole AND d.defaclnamespace = current_schema()::regnamespace
    AND a.grantee = (SELECT oid FROM pg_roles WHERE rolname = :role)
    AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE') GROUP BY 1"""


def grant(session: Connection, role: str) -> None:
    """Gives the role its rights, and takes what is more, all or nothing.

    :raises Refusal: if the role can make tables, or can't use the schema, and this session may not change that; or if
        it has rights as a member of another role that it must not have.
    """
    statements = missing_statements(session, role)
    if statements:
        session.execute(text("BEGIN"))
        try:
            for statement in statements:
                session.execute(text(statement.replace(":", "\\:")))
            session.execute(text("COMMIT"))
        except BaseException:
            session.execute(text("ROLLBACK"))
            raise
        say(f"Role {role}: {len(statements)} statements gave it rows of every table, and nothing of the schema")
    refuse_open_schema(session, role)
    still = wrong(session, role)
    if left := sorted({row["name"] for row in still if not row["own"]}):
        say(f"Rights on {', '.join(left)} are left as they are: another role owns them")
    if kept := [f"{row['privileges']} ON {row['name']}" for row in still if row["own"] and not row["wanted"]]:
        raise Refusal(
            f"role {role} still has rights that it must not have: {'; '.join(kept)}. It has them as a member of "
            "another role: take it out of that, or the rights from it."
        )


def wrong(session: Connection, role: str) -> list[RowMapping]:
    """Rights that are missing or too much, a row for each relation and for each of both."""
    return list(session.execute(text(WRONG), {"role": role}).mappings())


def schemas(session: Connection, role: str) -> list[RowMapping]:
    """The schemas in which the role has to do."""
    return list(session.execute(text(SCHEMAS), {"role": role}).mappings())


def missing_statements(session: Connection, role: str) -> list[str]:
    """What gives the role its rights, and takes what is more."""
    to, statements = quote(role), []
    for schema in schemas(session, role):
        name = quote(schema["name"])
        if schema["own"] and not schema["used"]:
            statements.append(f"GRANT USAGE ON SCHEMA {name} TO {to}")
        if schema["own"] and schema["filled"]:
            statements.append(f"REVOKE CREATE ON SCHEMA {name} FROM PUBLIC, {to}")
    for database in session.execute(text(DATABASE), {"role": role}).mappings():
        if database["own"] and database["filled"]:
            statements.append(f"REVOKE CREATE ON DATABASE {quote(database['name'])} FROM PUBLIC, {to}")
    for row in wrong(session, role):
        if row["own"]:
            verb, word = ("GRANT", "TO") if row["wanted"] else ("REVOKE", "FROM PUBLIC,")
            kind = "SEQUENCE " if row["use"] == "count" else ""
            statements.append(f"{verb} {row['privileges']} ON {kind}{row['name']} {word} {to}")
    return statements + missing_defaults(session, role)


def missing_defaults(session: Connection, role: str) -> list[str]:
    """What gives the role its rights on tables and sequences to come."""
    given = {kind: count for kind, count in session.execute(text(DEFAULTS), {"role": role})}
    default = f"ALTER DEFAULT PRIVILEGES IN SCHEMA {quote(session.scalar(text('SELECT current_schema()')))}"
    tables = f"{default} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {quote(role)}"
    sequences = f"{default} GRANT USAGE, SELECT ON SEQUENCES TO {quote(role)}"
    return [*([tables] if given.get("r") != 4 else []), *([sequences] if given.get("S") != 2 else [])]


def refuse_open_schema(session: Connection, role: str) -> None:
    """Looks whether the schema is closed to the role, and not to its rows.

    :raises Refusal: with what a person with more rights has to run.
    """
    to, left = quote(role), []
    for schema in schemas(session, role):
        name = quote(schema["name"])
        if not schema["used"] and schema["name"] != RECORD_SCHEMA:
            left.append(f"GRANT USAGE ON SCHEMA {name} TO {to};")
        if schema["filled"]:
            own = f"GRANT CREATE ON SCHEMA {name} TO {quote(session.scalar(text('SELECT current_user')))};"
            left.append(f"REVOKE CREATE ON SCHEMA {name} FROM PUBLIC, {to}; {own}")
    for database in session.execute(text(DATABASE), {"role": role}).mappings():
        if database["filled"]:
            left.append(f"REVOKE CREATE ON DATABASE {quote(database['name'])} FROM PUBLIC, {to};")
    if left:
        raise Refusal(
            f"role {role} must read and write rows and change no schema, and the role that migrates may not see to it. "
            f"Let the schema's owner run: {' '.join(left)}"
        )
