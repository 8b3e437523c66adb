"""Run one query of a custom check, read-only, and print its first rows."""

import json

from connection import INPUT, connect
from limited import answer_within

# PL/pgSQL opens a cursor only for a single statement that returns rows. While the query runs, its path is searched for
# unqualified names: only the query may contain any.
READ = """
DO $check$
DECLARE
    opened pg_catalog.refcursor;
    item record;
    items pg_catalog.jsonb := '[]';
BEGIN
    OPEN opened FOR EXECUTE pg_catalog.current_setting('migration.query');
    FOR i IN 0 .. {count} LOOP
        FETCH opened INTO item;
        EXIT WHEN NOT FOUND;
        items := items OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_array(pg_catalog.to_jsonb(item));
    END LOOP;
    PERFORM pg_catalog.set_config('migration.rows', items::pg_catalog.text, true);
END $check$"""


def rows_of(query, count, seconds):
    """Return at most one row more than `count`. The query finds tables and functions as the app's do."""
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("SET TRANSACTION READ ONLY")
    cursor.execute(f"SET LOCAL statement_timeout = '{int(seconds)}s'")
    cursor.execute("SELECT pg_catalog.set_config('migration.query', %s, true)", (query,))
    cursor.execute("SET LOCAL search_path TO DEFAULT")
    cursor.execute(READ.format(count=int(count)))
    cursor.execute("SELECT pg_catalog.current_setting('migration.rows')")
    rows = json.loads(cursor.fetchone()[0])
    connection.rollback()
    return rows


given = json.loads(INPUT)
answer_within(given["seconds"], lambda: rows_of(given["query"], given["count"], given["seconds"]))
