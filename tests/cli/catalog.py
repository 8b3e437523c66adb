"""Run SQL statements and print the catalog of the database.

Standard input: {"url": a libpq URI, "statements": [...]}. Standard output: a sorted JSON list of strings, for the
columns, constraints, indexes, types, and comments of the schema `public`; with a "query", the JSON of its one value.
With "runs" instead of "statements", a list of lists, each in a transaction that is rolled back: a JSON list of
{"value": ...} or {"error": ...}.
"""

import json
import sys

import psycopg

CATALOG = """
SELECT format('column %s.%s %s null=%s default=%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
              NOT a.attnotnull, pg_get_expr(d.adbin, d.adrelid))
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'S', 'v')
UNION ALL SELECT format('constraint %s %s', conname, pg_get_constraintdef(oid))
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT format('type %s %s', t.typname, e.enumlabel) FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
UNION ALL SELECT format('comment %s %s', objoid::regclass, description) FROM pg_description
  WHERE classoid = 'pg_class'::regclass AND objoid >= 16384
"""

request = json.load(sys.stdin)


def answer(connection, statements):
    for statement in statements:
        connection.execute(statement)
    connection.execute("SET search_path = pg_catalog, pg_temp; SET jit = off" if "query" in request else "")
    return connection.execute(request.get("query", CATALOG)).fetchall()


def attempt(connection, statements):
    try:
        return {"value": answer(connection, statements)[0][0]}
    except psycopg.Error as error:
        return {"error": str(error)}
    finally:
        connection.execute("ROLLBACK")


with psycopg.connect(request["url"], autocommit=True) as connection:
    if "runs" in request:
        print(json.dumps([attempt(connection, ["BEGIN", *statements]) for statements in request["runs"]]))
    else:
        rows = answer(connection, request["statements"])
        print(json.dumps(rows[0][0] if "query" in request else sorted(row[0] for row in rows)))
