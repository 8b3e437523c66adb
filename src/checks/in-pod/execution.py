"""Execute a plugin through the backend's API, read its row from the database, and restore both."""

import json
from urllib.parse import quote

from api import call
from connection import connect

KEY = int.from_bytes(b"unity-ex", "big")
"""Key of the advisory lock that keeps concurrent checks from switching the same plugin."""


def execute(plugin):
    """Execute a plugin, which is enabled meanwhile if needed, and return the status and the body."""
    path = "/api/plugins/" + quote(plugin["id"], safe="")
    if plugin["enabled"]:
        return call(path + "/execute", "POST")
    status, body = call(path + "/enable", "POST")
    try:
        return call(path + "/execute", "POST") if status == 200 else (status, body)
    finally:
        call(path + "/disable", "POST")


def delete_execution(cursor, schema, execution):
    """Delete an execution and the metrics of the same transaction, and return its columns, or None."""
    cursor.execute(
        f"DELETE FROM {schema}.plugin_metrics m USING {schema}.plugin_executions e"
        " WHERE e.id = %s AND m.plugin_id = e.plugin_id AND m.xmin = e.xmin",
        (execution,),
    )
    cursor.execute(
        f"DELETE FROM {schema}.plugin_executions WHERE id = %s"
        " RETURNING started_at::text, completed_at::text, status, error_message",
        (execution,),
    )
    row = cursor.fetchone()
    return row and dict(zip(("startedAt", "completedAt", "status", "error"), row))


def check_execution():
    """Execute the first plugin that has code, preferably an enabled one, and return its row."""
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("SET LOCAL lock_timeout = 30000")
    cursor.execute("SET LOCAL statement_timeout = 30000")
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (KEY,))
    cursor.execute("SELECT quote_ident((current_setting('migration.schemas')::name[])[1])")
    schema = cursor.fetchone()[0]
    status, body = call("/api/plugins")
    if status != 200:
        return {"problem": "the list of plugins", "status": status}
    for plugin in sorted(json.loads(body), key=lambda plugin: (not plugin["enabled"], plugin["id"])):
        status, body = execute(plugin)
        if status == 409:
            continue  # the plugin has no code in this version
        if status != 201:
            return {"problem": "the execution of " + plugin["id"], "status": status}
        row = delete_execution(cursor, schema, json.loads(body)["id"])
        cursor.execute(f"SELECT enabled FROM {schema}.plugins WHERE id = %s", (plugin["id"],))
        restored = tuple(cursor.fetchone() or ()) == (plugin["enabled"],)
        connection.commit()
        return {"plugin": plugin["id"], "row": row, "restored": restored}
    return {"plugin": None}
