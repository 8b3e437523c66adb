"""Runs a plugin by way of the backend's API, looks for its row in the database, and leaves both as they were."""

import json
from urllib.parse import quote

from api import call
from connection import connect

KEY = int.from_bytes(b"unity-ex", "big")
"""Of the advisory lock that keeps two checks at once from switching the same plugin."""


def execute(plugin):
    """Executes a plugin; one that is disabled is enabled for as long as that takes. Returns status and body."""
    path = "/api/plugins/" + quote(plugin["id"], safe="")
    if plugin["enabled"]:
        return call(path + "/execute", "POST")
    status, body = call(path + "/enable", "POST")
    try:
        return call(path + "/execute", "POST") if status == 200 else (status, body)
    finally:
        call(path + "/disable", "POST")


def take_row(cursor, execution):
    """Removes an execution, with the metrics that its last transaction wrote. Returns what it held; null if none."""
    cursor.execute(
        "DELETE FROM plugin_metrics m USING plugin_executions e"
        " WHERE e.id = %s AND m.plugin_id = e.plugin_id AND m.xmin = e.xmin",
        (execution,),
    )
    cursor.execute(
        "DELETE FROM plugin_executions WHERE id = %s"
        " RETURNING started_at::text, completed_at::text, status, error_message",
        (execution,),
    )
    row = cursor.fetchone()
    return row and dict(zip(("startedAt", "completedAt", "status", "error"), row))


def check():
    """What was found: the first plugin that has code, one that is enabled if there is any."""
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("SET LOCAL lock_timeout = 5000")
    cursor.execute("SET LOCAL statement_timeout = 5000")
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (KEY,))
    status, body = call("/api/plugins")
    if status != 200:
        return {"problem": "the list of plugins", "status": status}
    for plugin in sorted(json.loads(body), key=lambda plugin: (not plugin["enabled"], plugin["id"])):
        status, body = execute(plugin)
        if status == 409:
            continue  # it has no code in this version
        if status != 201:
            return {"problem": "the execution of " + plugin["id"], "status": status}
        row = take_row(cursor, json.loads(body)["id"])
        cursor.execute("SELECT enabled FROM plugins WHERE id = %s", (plugin["id"],))
        restored = cursor.fetchone() == (plugin["enabled"],)
        connection.commit()
        return {"plugin": plugin["id"], "row": row, "restored": restored}
    return {"plugin": None}
