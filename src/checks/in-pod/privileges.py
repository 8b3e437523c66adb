"""Read the privileges of the role of the pod's DATABASE_URL, on rows and on the schema. Changes nothing."""

from connection import connect
from runner_dbapi import driver_sqlstate
from runner_rights import excess_rights

ROWS = ["SELECT", "INSERT", "UPDATE", "DELETE"]
DENIED = "42501"
"""SQLSTATE: insufficient privilege."""

# The schema where the backend's role, like the one that migrates, creates tables.
SCHEMA = "(current_setting('migration.schemas')::name[])[1]"

RELATION = f"""
    WITH relation AS (
        SELECT c.oid, c.relname, c.relowner, n.oid AS schema, n.nspname, n.nspowner,
            CASE WHEN n.nspname = {SCHEMA} THEN c.relname ELSE n.nspname || '.' || c.relname END AS name
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p')) """

# Alembic's table, which the application only reads.
VERSION = f"SELECT name FROM relation WHERE relname = %s AND nspname = coalesce(%s::name, {SCHEMA})"

LACKING = """
    SELECT t, array_agg(p ORDER BY place)
    FROM unnest(%s::text[]) t CROSS JOIN unnest(%s::text[]) WITH ORDINALITY AS rights(p, place)
    LEFT JOIN relation r ON r.name = t
    WHERE r.oid IS NULL OR NOT has_schema_privilege(r.schema, 'USAGE') OR NOT has_table_privilege(r.oid, p)
    GROUP BY t ORDER BY t"""

# Sequences of identity and serial columns: without USAGE on one, no row can be inserted.
SEQUENCES = """
    SELECT r.name, s.relname::text FROM relation r
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = r.oid
        AND d.deptype = 'a'
    JOIN pg_catalog.pg_class s ON d.classid = 'pg_catalog.pg_class'::regclass AND s.oid = d.objid
    WHERE r.name = ANY(%s::text[])
    AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE') END ORDER BY 1, 2"""

# The owner of a table or its schema can alter or drop the table, and so can a member of that role.
OWNED = """
    SELECT name FROM relation
    WHERE name = ANY(%s::text[]) AND (pg_has_role(relowner, 'MEMBER') OR pg_has_role(nspowner, 'MEMBER')) ORDER BY 1"""

WRITES_VERSION = """
    SELECT EXISTS (SELECT FROM relation r, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p
    WHERE r.name = %s AND has_table_privilege(r.oid, p))"""

SCHEMAS = """
    SELECT nspname::text FROM pg_catalog.pg_namespace WHERE has_schema_privilege(oid, 'CREATE')
    AND nspname <> 'information_schema' AND left(nspname, 3) <> 'pg_' ORDER BY 1"""


def can_create(cursor):
    """Return whether a table can be created, by an attempt that is rolled back."""
    cursor.execute(f"SELECT quote_ident({SCHEMA})")
    schema = cursor.fetchone()[0]
    if schema is None:
        return False
    cursor.execute("SAVEPOINT before")
    try:
        cursor.execute(f"CREATE TABLE {schema}.alembic_privileges_probe (id int)")
        return True
    except Exception as error:
        if driver_sqlstate(error) != DENIED:
            raise
        return False
    finally:
        cursor.execute("ROLLBACK TO SAVEPOINT before")


def read_privileges(inputs):
    """Return the role, its missing privileges by table, and its excess ones.

    The inputs are the chain's tables, and Alembic's table: its `schema` (None for the application's) and `name`.
    """
    tables, version_table = inputs
    connection = connect()
    cursor = connection.cursor()

    def rows(statement, *values):
        cursor.execute(statement, values)
        return cursor.fetchall()

    cursor.execute("SET LOCAL statement_timeout = 30000")
    cursor.execute("SET LOCAL lock_timeout = 30000")
    ((role, creates_schemas),) = rows("SELECT current_user::text, has_database_privilege(current_database(), 'CREATE')")
    lacking = dict(rows(RELATION + LACKING, tables, ROWS))
    found = rows(RELATION + VERSION, version_table["name"], version_table["schema"])
    version = found[0][0] if found else version_table["name"]
    lacking.update(rows(RELATION + LACKING, [version], ["SELECT"]))
    for table, sequence in rows(RELATION + SEQUENCES, tables):
        lacking.setdefault(table, []).append("USAGE of sequence " + sequence)
    excess = ["alter and drop " + name for (name,) in rows(RELATION + OWNED, [*tables, version])]
    excess += ["create in schema " + name for (name,) in rows(SCHEMAS)]
    if creates_schemas:
        excess.append("create schemas")
    if can_create(cursor):
        excess.append("create a table")
    if rows(RELATION + WRITES_VERSION, version)[0][0]:
        excess.append("write " + version)
    excess += ["use " + right for (right,) in rows(excess_rights("current_user"))]
    connection.rollback()
    return {"role": role, "lacking": lacking, "excess": excess}
