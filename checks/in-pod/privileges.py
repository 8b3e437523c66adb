"""Looks what the role of the pod's DATABASE_URL may do: with rows, and with the schema. It changes nothing."""

from connection import connect

ROWS = ["SELECT", "INSERT", "UPDATE", "DELETE"]
VERSION = "alembic_version"
"""Alembic's own table, which the application only reads."""

LACKING = """
    SELECT t, array_agg(p ORDER BY place) FROM unnest(%s::text[]) t, unnest(%s::text[]) WITH ORDINALITY p(p, place)
    WHERE to_regclass(t) IS NOT NULL AND NOT has_table_privilege(to_regclass(t), p) GROUP BY t ORDER BY t"""

# Who owns a table, or its schema, can alter or drop it: as a member of the owning role, too.
OWNED = """
    SELECT t FROM unnest(%s::text[]) t JOIN pg_class c ON c.oid = to_regclass(t)
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE pg_has_role(c.relowner, 'USAGE') OR pg_has_role(n.nspowner, 'USAGE') ORDER BY t"""

WRITES_VERSION = """
    SELECT EXISTS (SELECT FROM unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p
    WHERE has_table_privilege(to_regclass(%s), p))"""

SCHEMAS = """
    SELECT nspname FROM pg_namespace WHERE has_schema_privilege(oid, 'CREATE')
    AND nspname <> 'information_schema' AND left(nspname, 3) <> 'pg_' ORDER BY 1"""


def can_create(cursor):
    """Whether a table can be made: tried, and taken back."""
    cursor.execute("SAVEPOINT before")
    try:
        cursor.execute("CREATE TABLE unity_privileges_probe (id int)")
        return True
    except Exception as error:
        state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
        if state != "42501":  # insufficient_privilege
            raise
        return False
    finally:
        cursor.execute("ROLLBACK TO SAVEPOINT before")


def judge(tables):
    """The role, what it lacks by table, and what it can do to the schema."""
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("SET LOCAL statement_timeout = 5000")
    cursor.execute("SET LOCAL lock_timeout = 2000")
    cursor.execute("SELECT current_user::text, has_database_privilege(current_database(), 'CREATE')")
    role, makes_schemas = cursor.fetchone()
    cursor.execute(LACKING, (tables, ROWS))
    lacking = dict(cursor.fetchall())
    cursor.execute("SELECT NOT has_table_privilege(to_regclass(%s), 'SELECT')", (VERSION,))
    if cursor.fetchone()[0]:
        lacking[VERSION] = ["SELECT"]
    cursor.execute(OWNED, ([*tables, VERSION],))
    excess = ["alter and drop " + name for (name,) in cursor.fetchall()]
    cursor.execute(SCHEMAS)
    excess += ["create in schema " + name for (name,) in cursor.fetchall()]
    if makes_schemas:
        excess.append("create schemas")
    if can_create(cursor):
        excess.append("create a table")
    cursor.execute(WRITES_VERSION, (VERSION,))
    if cursor.fetchone()[0]:
        excess.append("write " + VERSION)
    connection.rollback()
    return {"role": role, "lacking": lacking, "excess": excess}
